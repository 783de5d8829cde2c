package functions

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/egressgraph"
)

// egressGraph is egress_graph.
type egressGraph struct{}

// NewEgressGraph returns the function.
func NewEgressGraph() function.Function { return egressGraph{} }

// Values of the argument `format`.
const (
	formatMermaid = "mermaid"
	formatDOT     = "dot"
)

// Metadata implements function.Function.
func (egressGraph) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "egress_graph"
}

// Definition implements function.Function.
func (egressGraph) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "A picture of who reaches what: workloads, egress gateways and hosts, as the text of Mermaid or Graphviz",
		MarkdownDescription: "Draws grants: those of the data source [`istio_egress_grants`](../data-sources/egress_grants), for all that is granted in the mesh, " +
			"or the `grants` of policies, which their plan knows already. It needs no cluster and no provider block.\n\n" +
			"A gateway is a box of lanes, one for each service that is reached through it, so that every path from a workload through a lane to a host is a grant. " +
			"What the gateway checks of the caller stands at the arrow to the lane. Dashed arrows are direct: nobody checks the caller there. " +
			"Red ones are of policies whose objects somebody has changed (`intact = false` in the data source).\n\n" +
			"Equal sets of grants have equal texts, so a picture that is committed changes only when access does. " +
			"Mermaid draws at most 500 arrows unless told otherwise (`maxEdges`): narrow the data source to a namespace or a gateway.",
		Parameters: []function.Parameter{
			function.DynamicParameter{
				Name: "grants",
				MarkdownDescription: "A list or set: of lines as in the attribute `grants` of `istio_egress_traffic_policy`, " +
					"or of objects with such a line in `grant`, and perhaps `intact`, as in `grants` of the data source `istio_egress_grants`.",
			},
			function.StringParameter{
				Name: "format",
				MarkdownDescription: "`mermaid`: a [flowchart](https://mermaid.js.org/syntax/flowchart.html), which GitHub and GitLab show in Markdown. " +
					"`dot`: for [Graphviz](https://graphviz.org), as in `terraform output -raw graph | dot -Tsvg`.",
				Validators: []function.StringParameterValidator{stringvalidator.OneOf(formatMermaid, formatDOT)},
			},
		},
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (egressGraph) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var given types.Dynamic
	var format string
	if resp.Error = req.Arguments.Get(ctx, &given, &format); resp.Error != nil {
		return
	}
	grants, problems := drawn(given)
	if resp.Error = argumentError(0, "grants", problems); resp.Error != nil {
		return
	}
	graph := egressgraph.New(grants)
	text := graph.Mermaid()
	if format == formatDOT {
		text = graph.DOT()
	}
	resp.Error = resp.Result.Set(ctx, text)
}

// drawn reads the argument `grants`.
func drawn(given attr.Value) ([]egressgraph.Grant, []compile.Problem) {
	all, ok := elements(given)
	if !ok {
		return nil, []compile.Problem{{Summary: "Not a list", Detail: "A list or set of grants is expected here."}}
	}
	var grants []egressgraph.Grant
	var problems []compile.Problem
	for i, element := range all {
		grant, err := grantOf(element)
		if err != nil {
			problems = append(problems, compile.Problem{Path: []any{i}, Summary: "Not a grant", Detail: err.Error()})
			continue
		}
		grants = append(grants, grant)
	}
	return grants, problems
}

// grantOf reads a line, or an object with one.
func grantOf(element attr.Value) (egressgraph.Grant, error) {
	var drawn egressgraph.Grant
	line := element
	if attributes, isObject := fields(element); isObject {
		if line = attributes["grant"]; line == nil {
			return drawn, fmt.Errorf("an object here has the attribute grant, with a line as in the grants of a policy")
		}
		if intact, ok := attributes["intact"].(types.Bool); ok && !intact.IsNull() {
			drawn.Doubtful = !intact.ValueBool()
		}
	}
	text, isText := line.(types.String)
	if dynamic, is := line.(types.Dynamic); is {
		text, isText = dynamic.UnderlyingValue().(types.String)
	}
	if !isText || text.IsNull() {
		return drawn, fmt.Errorf("a line is expected here, as in the grants of a policy")
	}
	var err error
	drawn.Grant, err = policy.ParseGrant(text.ValueString())
	return drawn, err
}
