package gateway

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/listing"
)

// ListResource is the list resource istio_egress_gateway: the gateways that
// this provider has made, of any state.
type ListResource struct{ Resource }

var _ list.ListResourceWithConfigure = (*ListResource)(nil)

// NewListResource returns the list resource.
func NewListResource() list.ListResource { return &ListResource{} }

// ListResourceConfigSchema implements list.ListResource.
func (l *ListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the egress gateways that this provider has made, whichever state holds them, for `terraform query` (Terraform 1.14 or later). " +
			"A gateway that Helm or istioctl installed is not among them: the data source `istio_egress_gateway` reads it.",
		Attributes: map[string]schema.Attribute{
			"namespace": listing.Name("Namespace of the gateways. Default: all namespaces."),
			"label_selector": schema.StringAttribute{
				MarkdownDescription: "Kubernetes label selector, such as `team=platform,istio.io/rev in (canary)`: which labels a gateway has, by its `labels` and `revision`. Default: all gateways.",
				Optional:            true,
				Validators:          []validator.String{check.String(checkSelector)},
			},
		},
	}
}

func checkSelector(text string) *compile.Problem {
	if _, err := labels.Parse(text); err != nil {
		return &compile.Problem{Summary: "Invalid label selector", Detail: fmt.Sprintf("%q: %s.", text, err)}
	}
	return nil
}

// listModel is the configuration of a list block.
type listModel struct {
	Namespace     types.String `tfsdk:"namespace"`
	LabelSelector types.String `tfsdk:"label_selector"`
}

// List implements list.ListResource.
func (l *ListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	listing.Answer(ctx, l.provider, req, stream, l.find)
}

// find asks for one LIST, of the Services that say which gateways there are;
// their whole resources ask for one of each kind.
func (l *ListResource) find(ctx context.Context, client *cluster.Client, config listModel) ([]listing.Instance, diag.Diagnostics) {
	selector, err := labels.Parse(config.LabelSelector.ValueString())
	if err != nil {
		return nil, diag.Diagnostics{diag.NewErrorDiagnostic("Invalid label selector", err.Error())}
	}
	services, err := listing.Records(ctx, client, workload.KindService, config.Namespace.ValueString(), TypeName)
	if err != nil {
		return nil, diag.Diagnostics{diagnose.Error(err)}
	}
	var instances []listing.Instance
	var warnings diag.Diagnostics
	for _, service := range services {
		if !selector.Matches(labels.Set(service.GetLabels())) {
			continue
		}
		identity := Identity{Namespace: service.GetNamespace(), Name: service.GetName()}
		intent, owner, errors := readRecord(service, identity)
		if errors.HasError() {
			warnings.Append(listing.LeftOut(errors)...)
			continue
		}
		instances = append(instances, listing.Instance{
			ImportID: identity.importID(), DisplayName: identity.importID(), Identity: identity,
			Fill: func(ctx context.Context, state *tfsdk.State) diag.Diagnostics {
				return l.fill(ctx, client, intent, owner, state)
			},
		})
	}
	return instances, warnings
}

// fill makes the state of a gateway as an import and the refresh after it do.
func (l *ListResource) fill(ctx context.Context, client *cluster.Client, intent workload.Gateway, owner cluster.Owner, state *tfsdk.State) diag.Diagnostics {
	model := l.imported(intent)
	diags := state.Set(ctx, model)
	if !diags.HasError() {
		_, more := l.refresh(ctx, client, model, owner, state)
		diags.Append(more...)
	}
	return diags
}
