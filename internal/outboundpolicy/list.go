package outboundpolicy

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/listing"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// ListResource is the list resource istio_outbound_traffic_policy: the modes
// that are set and can be imported, whoever set them.
type ListResource struct{ Resource }

var _ list.ListResourceWithConfigure = (*ListResource)(nil)

// NewListResource returns the list resource.
func NewListResource() list.ListResource { return &ListResource{} }

// ListResourceConfigSchema implements list.ListResource.
func (l *ListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the outbound traffic modes that can be imported, for `terraform query` (Terraform 1.14 or later): the mesh config of each control plane in the provider's `istio_namespace` " +
			"that says a mode, the Sidecars that this provider has made, and of other Sidecars the one of each namespace that has no workload selector and says a mode.",
		Attributes: map[string]schema.Attribute{
			"scope": schema.StringAttribute{
				MarkdownDescription: "`mesh`, `namespace` or `workload`. Default: all three.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(string(outbound.Mesh), string(outbound.Namespace), string(outbound.Workload))},
			},
			"namespace": listing.Name("Namespace at the scopes `namespace` and `workload`; the mesh is not listed then. Default: all namespaces."),
		},
	}
}

// listModel is the configuration of a list block.
type listModel struct {
	Scope     types.String `tfsdk:"scope"`
	Namespace types.String `tfsdk:"namespace"`
}

// wants reports whether a scope is asked for.
func (m listModel) wants(scope outbound.Scope) bool {
	return (m.Scope.IsNull() || m.Scope.ValueString() == string(scope)) && (scope != outbound.Mesh || m.Namespace.IsNull())
}

// List implements list.ListResource.
func (l *ListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	listing.Answer(ctx, l.provider, req, stream, l.find)
}

// find asks for one LIST of Sidecars, one of the control planes, and the mesh
// config of each of these.
func (l *ListResource) find(ctx context.Context, client *cluster.Client, config listModel) ([]listing.Instance, diag.Diagnostics) {
	var candidates []outbound.Policy
	if config.wants(outbound.Mesh) {
		meshes, err := l.meshes(ctx, client)
		if err != nil {
			return nil, diag.Diagnostics{diagnostic(err)}
		}
		candidates = meshes
	}
	if config.wants(outbound.Namespace) || config.wants(outbound.Workload) {
		scoped, err := l.scoped(ctx, client, config)
		if err != nil {
			return nil, diag.Diagnostics{diagnostic(err)}
		}
		candidates = append(candidates, scoped...)
	}
	var instances []listing.Instance
	var warnings diag.Diagnostics
	for _, policy := range candidates {
		i := instance{r: &l.Resource, client: client, policy: policy}
		found, err := i.find(ctx)
		var told *summaryError
		switch {
		case errors.As(err, &told) && told.summary == nothingToImport:
		case told != nil, apierrors.IsForbidden(err):
			warnings.Append(listing.LeftOut(diag.Diagnostics{diagnostic(err)})...)
		case err != nil:
			return nil, diag.Diagnostics{diagnostic(err)}
		default:
			instances = append(instances, l.instance(client, found))
		}
	}
	return instances, warnings
}

// meshes returns the policies that there may be at mesh scope: one of the
// provider's own revision, and one of each whose istiod is there.
func (l *ListResource) meshes(ctx context.Context, client *cluster.Client) ([]outbound.Policy, error) {
	mesh := l.provider.Mesh
	revisions, err := settings.Revisions(ctx, client, mesh.RootNamespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	var policies []outbound.Policy
	seen := map[manifest.ID]bool{}
	for _, revision := range append([]string{mesh.Revision}, revisions...) {
		plane, err := l.provider.ControlPlane(ctx, client, revision)
		if err != nil {
			return nil, err
		}
		if seen[plane.ConfigMap] || !plane.Found && plane.Problem == nil {
			continue
		}
		seen[plane.ConfigMap] = true
		policy := outbound.Policy{}
		if revision != mesh.Revision {
			policy.Revision = &revision
		}
		policies = append(policies, policy)
	}
	return policies, nil
}

// scoped returns the policies that there may be at the narrower scopes: of a
// Sidecar with a selector only the provider's own, of those without at most
// one in a namespace. Those of the root namespace are for the whole mesh, and
// no policy's.
func (l *ListResource) scoped(ctx context.Context, client *cluster.Client, config listModel) ([]outbound.Policy, error) {
	plane, err := l.provider.ControlPlane(ctx, client, l.provider.Mesh.Revision)
	if err != nil {
		return nil, err
	}
	sidecars, err := client.Glance(ctx, outbound.KindSidecar, config.Namespace.ValueString(), "")
	if err != nil {
		return nil, err
	}
	var policies []outbound.Policy
	plain := map[string]bool{}
	for _, sidecar := range sidecars {
		namespace, name := sidecar.GetNamespace(), sidecar.GetName()
		selector, selecting := outbound.Selector(sidecar)
		switch {
		case namespace == plane.RootNamespace():
		case selecting && isOwn(sidecar) && config.wants(outbound.Workload):
			policies = append(policies, outbound.Policy{Namespace: &namespace, Name: &name, WorkloadSelector: selector})
		case !selecting && !plain[namespace] && config.wants(outbound.Namespace):
			plain[namespace] = true
			policies = append(policies, outbound.Policy{Namespace: &namespace})
		}
	}
	return policies, nil
}

func (l *ListResource) instance(client *cluster.Client, found found) listing.Instance {
	mesh := l.provider.Mesh
	identity := found.policy.Identity(mesh)
	return listing.Instance{
		ImportID: identity.ImportID(), Identity: identity,
		DisplayName: found.policy.Mode + " for " + found.policy.For(mesh),
		Fill: func(ctx context.Context, state *tfsdk.State) diag.Diagnostics {
			diags := found.imported(ctx, state)
			if diags.HasError() {
				return diags
			}
			i := instance{r: &l.Resource, client: client, policy: found.policy, kept: found.record, owner: l.owner(found.policy, found.record.Nonce)}
			_, more := i.refresh(ctx, found.object.String(), state)
			return append(diags, more...)
		},
	}
}
