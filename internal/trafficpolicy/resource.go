package trafficpolicy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// TypeName is the resource type.
const TypeName = "istio_egress_traffic_policy"

// Default timeouts. A policy is a dozen small writes; the time is for waiting
// out an API server that restarts.
const (
	defaultWriteTimeout = 5 * time.Minute
	defaultReadTimeout  = time.Minute
)

// Resource is istio_egress_traffic_policy.
type Resource struct {
	// provider is nil until the provider is configured, as in `terraform validate`.
	provider *settings.Provider
}

var (
	_ resource.ResourceWithConfigure      = (*Resource)(nil)
	_ resource.ResourceWithIdentity       = (*Resource)(nil)
	_ resource.ResourceWithImportState    = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan     = (*Resource)(nil)
	_ resource.ResourceWithValidateConfig = (*Resource)(nil)
)

// New returns the resource.
func New() resource.Resource { return &Resource{} }

// Metadata implements resource.Resource.
func (r *Resource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = TypeName
}

// Configure implements resource.ResourceWithConfigure.
func (r *Resource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	provider, ok := req.ProviderData.(*settings.Provider)
	if !ok {
		resp.Diagnostics.AddError("Wrong provider data", fmt.Sprintf("Expected *settings.Provider, got %T. This is a bug of the provider.", req.ProviderData))
		return
	}
	r.provider = provider
}

// privateOwner is the key of private state that holds, as JSON, the nonce of
// the instance's cluster.Owner. The rest of it stands in the attributes.
const privateOwner = "owner"

// privateReader and privateWriter are the private state of any request or response.
type (
	privateReader interface {
		GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	}
	privateWriter interface {
		SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
	}
)

// ownerOf returns who owns the objects of this instance. Without a record of
// it the nonce is empty, and the engine takes the one that the live objects
// of this resource name.
func (r *Resource) ownerOf(ctx context.Context, private privateReader, identity Identity) (cluster.Owner, diag.Diagnostics) {
	owner := cluster.Owner{Resource: TypeName, ImportID: identity.importID(), OwnerID: r.provider.OwnerID}
	text, diags := private.GetKey(ctx, privateOwner)
	if diags.HasError() || len(text) == 0 {
		return owner, diags
	}
	if err := json.Unmarshal(text, &owner.Nonce); err != nil {
		diags.AddError("Private state is damaged", fmt.Sprintf("The record of who owns the objects of %s %s cannot be read: %s. "+
			"Remove the resource from state and import it again.", TypeName, identity.importID(), err))
	}
	return owner, diags
}

// saveOwner records the owner in private state.
func saveOwner(ctx context.Context, private privateWriter, owner cluster.Owner) diag.Diagnostics {
	text, err := json.Marshal(owner.Nonce)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return private.SetKey(ctx, privateOwner, text)
}
