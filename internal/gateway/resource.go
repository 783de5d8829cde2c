package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// TypeName is the type of the resource and of the data source.
const TypeName = "istio_egress_gateway"

// Default timeouts. A rollout pulls an image and, on many clouds, starts a node.
const (
	defaultWriteTimeout = 10 * time.Minute
	defaultReadTimeout  = time.Minute
)

// Resource is istio_egress_gateway.
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
	provider, diags := configured(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	r.provider = provider
}

// configured returns what the provider hands to its resources, nil before it
// is configured.
func configured(data any) (*settings.Provider, diag.Diagnostics) {
	var diags diag.Diagnostics
	if data == nil {
		return nil, nil
	}
	provider, ok := data.(*settings.Provider)
	if !ok {
		diags.AddError("Wrong provider data", fmt.Sprintf("Expected *settings.Provider, got %T. This is a bug of the provider.", data))
	}
	return provider, diags
}

// privateOwner is the key of private state that holds the cluster.Owner of
// the instance as JSON.
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
	owner := cluster.Owner{Resource: TypeName, ImportID: identity.importID()}
	text, diags := private.GetKey(ctx, privateOwner)
	if !diags.HasError() && len(text) > 0 {
		if err := json.Unmarshal(text, &owner); err != nil {
			diags.AddError("Private state is damaged", fmt.Sprintf("The record of who owns the objects of %s %s cannot be read: %s. "+
				"Remove the resource from state and import it again.", TypeName, identity.importID(), err))
		}
	}
	// The provider's owner_id may have changed since; the nonce never does.
	owner.OwnerID = r.provider.OwnerID
	return owner, diags
}

// saveOwner records the owner in private state.
func saveOwner(ctx context.Context, private privateWriter, owner cluster.Owner) diag.Diagnostics {
	text, err := json.Marshal(owner)
	if err != nil {
		// An Owner is a struct of strings.
		panic(err)
	}
	return private.SetKey(ctx, privateOwner, text)
}

// limits returns the timeouts of a gateway, none of them set by default.
func limits(m Model) workload.Timeouts {
	if m.Timeouts == nil {
		return workload.Timeouts{}
	}
	return *m.Timeouts
}

// timeout returns a configured timeout. The schema has validated it.
func timeout(text *string, fallback time.Duration) time.Duration {
	if text == nil {
		return fallback
	}
	duration, err := time.ParseDuration(*text)
	if err != nil {
		return fallback
	}
	return duration
}
