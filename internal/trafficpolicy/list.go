package trafficpolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/listing"
)

// ListResource is the list resource istio_egress_traffic_policy: the policies
// that this provider has made, of any state.
type ListResource struct{ Resource }

var _ list.ListResourceWithConfigure = (*ListResource)(nil)

// NewListResource returns the list resource.
func NewListResource() list.ListResource { return &ListResource{} }

// ListResourceConfigSchema implements list.ListResource.
func (l *ListResource) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{
		MarkdownDescription: "Lists the egress traffic policies that this provider has made, whichever state holds them, for `terraform query` (Terraform 1.14 or later).",
		Attributes: map[string]listschema.Attribute{
			"namespace":        listing.Name("Namespace of the policies' egress gateway; of a direct policy its first source namespace. Default: all namespaces."),
			"egress_gateway":   listing.Name("Name of the egress gateway that the policies go through. Default: any, and none."),
			"source_namespace": listing.Name("Namespace whose workloads the policies let out: one that a `from` of theirs names. Default: any."),
		},
	}
}

// listModel is the configuration of a list block.
type listModel struct {
	Namespace       types.String `tfsdk:"namespace"`
	EgressGateway   types.String `tfsdk:"egress_gateway"`
	SourceNamespace types.String `tfsdk:"source_namespace"`
}

// wants reports whether a policy is asked for.
func (m listModel) wants(p policy.Policy) bool {
	if !m.EgressGateway.IsNull() && (p.ByEgressGateway == nil || p.ByEgressGateway.Name != m.EgressGateway.ValueString()) {
		return false
	}
	return m.SourceNamespace.IsNull() || slices.Contains(sourceNamespaces(p), m.SourceNamespace.ValueString())
}

// sourceNamespaces returns the namespaces that a policy lets out, sorted.
func sourceNamespaces(p policy.Policy) []string {
	var names []string
	for _, rule := range p.EgressRules {
		for _, from := range rule.From {
			names = append(names, from.Namespace)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// displayName says what the identity does not.
func displayName(p policy.Policy) string {
	way := "direct"
	if p.ByEgressGateway != nil {
		way = "via " + p.ByEgressGateway.Namespace + "/" + p.ByEgressGateway.Name
	}
	return fmt.Sprintf("%s, from %s, %s", p.Name, strings.Join(sourceNamespaces(p), " and "), way)
}

// List implements list.ListResource.
func (l *ListResource) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	listing.Answer(ctx, l.provider, req, stream, l.find)
}

// find asks for two LISTs, of the Services and the ServiceEntries that say
// which policies there are; their whole resources ask for one of each kind.
func (l *ListResource) find(ctx context.Context, client *cluster.Client, config listModel) ([]listing.Instance, diag.Diagnostics) {
	var instances []listing.Instance
	var warnings diag.Diagnostics
	for _, kind := range []schema.GroupVersionKind{serviceGVK, kinds["ServiceEntry"]} {
		records, err := listing.Records(ctx, client, kind, config.Namespace.ValueString(), TypeName)
		if err != nil {
			return nil, diag.Diagnostics{diagnostic(err)}
		}
		for _, record := range records {
			owner, _ := cluster.OwnerOf(record)
			identity, ok := parseImportID(owner.ImportID)
			if !ok || !isRecord(record, identity) {
				continue // a copy that somebody made
			}
			p, owner, err := readRecord(record, identity)
			switch {
			case err != nil:
				warnings.Append(listing.LeftOut(diag.Diagnostics{diagnostic(err)})...)
			case config.wants(p):
				instances = append(instances, listing.Instance{
					ImportID: owner.ImportID, DisplayName: displayName(p), Identity: identity,
					Fill: func(ctx context.Context, state *tfsdk.State) diag.Diagnostics {
						return l.fill(ctx, client, p, owner, state)
					},
				})
			}
		}
	}
	return instances, warnings
}

// isRecord reports whether an object is where an import looks for the record.
func isRecord(object *unstructured.Unstructured, identity Identity) bool {
	return object.GetNamespace() == identity.Namespace &&
		(object.GetKind() != serviceGVK.Kind || object.GetName() == policy.ServiceName(identity.Name))
}

// fill makes the state of a policy as an import and the refresh after it do.
func (l *ListResource) fill(ctx context.Context, client *cluster.Client, p policy.Policy, owner cluster.Owner, state *tfsdk.State) diag.Diagnostics {
	found, err := settled(ctx, client, p, owner)
	if err != nil {
		return diag.Diagnostics{diagnostic(err)}
	}
	diags := l.imported(ctx, state, found)
	var model Model
	if !diags.HasError() {
		diags.Append(state.Get(ctx, &model)...)
	}
	if !diags.HasError() {
		_, more := l.refresh(ctx, client, model, owner, state)
		diags.Append(more...)
	}
	return diags
}
