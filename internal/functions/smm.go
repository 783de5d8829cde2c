package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/meshegress/terraform-provider-istio/internal/convert"
)

// smmMeshGateway is smm_mesh_gateway.
type smmMeshGateway struct{}

// NewSMMMeshGateway returns the function.
func NewSMMMeshGateway() function.Function { return smmMeshGateway{} }

// Metadata implements function.Function.
func (smmMeshGateway) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "smm_mesh_gateway"
}

// Definition implements function.Function.
func (smmMeshGateway) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Attributes of istio_egress_gateway for an IstioMeshGateway of Cisco Service Mesh Manager",
		MarkdownDescription: "Reads an `IstioMeshGateway` (`servicemesh.cisco.com/v1alpha1`) of type `egress` and returns an object with the attributes of " +
			"[`istio_egress_gateway`](../resources/egress_gateway) but for `timeouts`; those that the custom resource does not set are null or have their default.\n\n" +
			"Nothing is dropped: a field that is not known, that has no counterpart, or that the resource would refuse is an error " +
			"with its path and line. Ignored are `status` and what the API server, kubectl, Helm, Argo CD and Flux keep in `metadata`.\n\n" +
			"- `istioControlPlane { name, namespace }` becomes `revision`, `<name>.<namespace>`, as the operator labels its control planes.\n" +
			"- The pods keep the labels `gateway-name` and `gateway-type`, by which your own Gateway objects select them.\n" +
			"- `authorization` is `none`, since those Gateway objects would stop to serve otherwise. " +
			"Set it to `allow_listed` once policies have taken their place.\n" +
			"- `replicas { min, max }` becomes `autoscaling`, `count` alone `replicas`.\n" +
			"- `spread_across_nodes` is `false`; `affinity` is what the custom resource says.\n" +
			"- `image` becomes the annotation `sidecar.istio.io/proxyImage` of the pods.\n" +
			"- A gateway of type `ingress` is an error.\n\n" + oneAtATime,
		Parameters: []function.Parameter{function.StringParameter{
			Name:                "yaml",
			MarkdownDescription: "The custom resource as YAML or JSON: a file, or what `kubectl get -o yaml` prints.",
		}},
		Return: function.ObjectReturn{AttributeTypes: gatewayTypes()},
	}
}

// Run implements function.Function.
func (smmMeshGateway) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	intent, err := convert.SMMMeshGateway(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	object, diags := gatewayObject(ctx, intent)
	if resp.Error = function.FuncErrorFromDiags(ctx, diags); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, object)
	}
}
