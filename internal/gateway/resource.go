package gateway

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/private"
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
	provider, diags := settings.Configured(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	r.provider = provider
}

// ownerOf returns who owns the objects of this instance: private state holds
// the cluster.Owner. Without a record of it the nonce is empty, and the engine
// takes the one that the live objects of this resource name.
func (r *Resource) ownerOf(ctx context.Context, from private.Reader, identity Identity) (cluster.Owner, diag.Diagnostics) {
	owner := cluster.Owner{Resource: TypeName, ImportID: identity.importID()}
	diags := private.Read(ctx, from, TypeName+" "+identity.importID(), &owner)
	// The provider's owner_id may have changed since; the nonce never does.
	owner.OwnerID = r.provider.OwnerID
	return owner, diags
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
