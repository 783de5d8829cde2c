package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/meshegress/terraform-provider-istio/internal/convert"
)

// asmEgressTrafficPolicy is asm_egress_traffic_policy.
type asmEgressTrafficPolicy struct{}

// NewASMEgressTrafficPolicy returns the function.
func NewASMEgressTrafficPolicy() function.Function { return asmEgressTrafficPolicy{} }

// Metadata implements function.Function.
func (asmEgressTrafficPolicy) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "asm_egress_traffic_policy"
}

// Definition implements function.Function.
func (asmEgressTrafficPolicy) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Attributes of istio_egress_traffic_policy for an ASMEgressTrafficPolicy of Alibaba Cloud Service Mesh",
		MarkdownDescription: "Reads an `ASMEgressTrafficPolicy` (`istio.alibabacloud.com/v1beta1`) and returns an object with the attributes of " +
			"[`istio_egress_traffic_policy`](../resources/egress_traffic_policy) but for `timeouts`; those that the custom resource does not set are null.\n\n" +
			"Nothing is dropped: a field that is not known, that has no counterpart, or that the resource would refuse is an error " +
			"with its path and line. Ignored are `status` and what the API server, kubectl, Helm, Argo CD and Flux keep in `metadata`.\n\n" +
			"- `by_egress_gateway` is the gateway of that name in namespace `istio-egress`, the one in which ASM acts on policies. " +
			"Give the resource the `reference` of an `istio_egress_gateway` in its place if yours is elsewhere.\n" +
			"- Entries whose `byEgressGateway` is blank get their port assigned, as in ASM.\n" +
			"- `unselected_workloads` is `deny`: workloads that no rule selects do not reach the declared hosts.\n" +
			"- ASM's rule that all hosts of an entry resolve to one address is not needed here.\n\n" + oneAtATime,
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "yaml",
			MarkdownDescription: "The custom resource as YAML or JSON: a file, or what `kubectl get -o yaml` prints.",
		}},
		Return: function.ObjectReturn{AttributeTypes: policyTypes()},
	}
}

// oneAtATime is how many custom resources are converted.
const oneAtATime = "The text holds one custom resource. Several in a `List` are converted by a `for` expression over `yamldecode(text).items`, " +
	"with `yamlencode` around each; line numbers in errors then count from the top of the item. Labels and annotations of your own " +
	"on the custom resource have no counterpart and are taken out the same way, with `merge(item, { metadata = { ... } })`."

// Run implements function.Function.
func (asmEgressTrafficPolicy) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	intent, err := convert.ASMEgressTrafficPolicy(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	object, diags := policyObject(ctx, intent)
	if resp.Error = function.FuncErrorFromDiags(ctx, diags); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, object)
	}
}
