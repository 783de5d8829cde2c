package outboundpolicy

import (
	"context"
	"time"

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
	provider, diags := settings.Configured(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	r.provider = provider
}

// record is what private state holds.
type record struct {
	// Nonce is that of the instance's cluster.Owner.
	Nonce string `json:"nonce"`
	// Field is set where one field of somebody else's Sidecar is managed.
	Field bool `json:"field,omitempty"`
}

// owner returns who an instance is to the engine.
func (r *Resource) owner(p outbound.Policy, nonce string) cluster.Owner {
	return cluster.Owner{
		Resource: TypeName, ImportID: p.Identity(r.provider.Mesh).ImportID(), OwnerID: r.provider.OwnerID, Nonce: nonce,
	}
}
