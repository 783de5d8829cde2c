package trafficpolicy

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/private"
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
	provider, diags := settings.Configured(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	r.provider = provider
}

// ownerOf returns who owns the objects of this instance: private state holds
// the nonce of the cluster.Owner, attributes say the rest. Without a record of
// it the nonce is empty, and the engine takes the one that the live objects
// of this resource name.
func (r *Resource) ownerOf(ctx context.Context, from private.Reader, identity Identity) (cluster.Owner, diag.Diagnostics) {
	owner := cluster.Owner{Resource: TypeName, ImportID: identity.importID(), OwnerID: r.provider.OwnerID}
	diags := private.Read(ctx, from, TypeName+" "+identity.importID(), &owner.Nonce)
	return owner, diags
}
