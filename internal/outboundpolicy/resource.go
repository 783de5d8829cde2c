package outboundpolicy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// TypeName is the resource type.
const TypeName = "istio_outbound_traffic_policy"

// Default timeouts. A policy is one write; the time is for waiting out an API
// server that restarts.
const (
	defaultWriteTimeout = 5 * time.Minute
	defaultReadTimeout  = time.Minute
)

// Resource is istio_outbound_traffic_policy.
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

// privateOwner is the key of private state that holds the record of what the
// attributes do not say.
const privateOwner = "owner"

// record is what private state holds.
type record struct {
	// Nonce is that of the instance's cluster.Owner.
	Nonce string `json:"nonce"`
	// Field is set where one field of somebody else's Sidecar is managed.
	Field bool `json:"field,omitempty"`
}

// privateReader and privateWriter are the private state of any request or response.
type (
	privateReader interface {
		GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	}
	privateWriter interface {
		SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
	}
)

// recordOf reads private state. It is zero for an instance that core destroys
// as tainted: it hands over the private state that was planned for the
// successor.
func recordOf(ctx context.Context, private privateReader) (record, diag.Diagnostics) {
	var kept record
	text, diags := private.GetKey(ctx, privateOwner)
	if diags.HasError() || len(text) == 0 {
		return kept, diags
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		diags.AddError("Private state is damaged", fmt.Sprintf("The record of who owns what %s manages cannot be read: %s. "+
			"Remove the resource from state and import it again.", TypeName, err))
	}
	return kept, diags
}

func saveRecord(ctx context.Context, private privateWriter, kept record) diag.Diagnostics {
	text, err := json.Marshal(kept)
	if err != nil {
		panic(err) // a string and a bool are always JSON
	}
	return private.SetKey(ctx, privateOwner, text)
}

// owner returns who an instance is to the engine.
func (r *Resource) owner(p outbound.Policy, nonce string) cluster.Owner {
	return cluster.Owner{
		Resource: TypeName, ImportID: p.Identity(r.provider.Mesh).ImportID(), OwnerID: r.provider.OwnerID, Nonce: nonce,
	}
}
