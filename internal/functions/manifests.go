package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// egressManifests is egress_manifests.
type egressManifests struct{}

// NewEgressManifests returns the function.
func NewEgressManifests() function.Function { return egressManifests{} }

// Positions of the arguments.
const (
	policyArgument = iota
	optionsArgument
)

// Metadata implements function.Function.
func (egressManifests) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "egress_manifests"
}

// Definition implements function.Function.
func (egressManifests) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Kubernetes and Istio objects of a policy, as YAML, without a cluster",
		MarkdownDescription: "Returns the objects that [`istio_egress_traffic_policy`](../resources/egress_traffic_policy) writes for a policy: " +
			"a map from `Kind/namespace/name` to YAML, for a GitOps repository, for `kubectl`, or for rules that are checked before " +
			"anything is applied: in a `precondition`, a `check`, `terraform test`, or by a tool that reads YAML. It needs no cluster and no provider block.\n\n" +
			"**Ports.** The provider assigns the ports of the gateway's pods at apply, where it sees which are free. Here nobody is asked: " +
			"an entry without a port in `by_egress_gateway` (from 1024 on) or in the option `gateway_ports` gets the one that the provider would try first, " +
			"always the same for the same policy and entry. So the ports in these objects need not be those of an applied resource, and those of two policies " +
			"on one gateway can meet, though seldom; give them by `gateway_ports`, or a range to each policy by `first_port`, if the objects are to be applied.\n\n" +
			"Objects applied from here are not the provider's: it will not update or delete them. " +
			"It writes in an order that never leaves a way open, which `kubectl apply` of a stream does not. " +
			"Policies of one source namespace on one gateway share an AuthorizationPolicy, with the same key and content in each map.",
		Parameters: []function.Parameter{
			function.DynamicParameter{
				Name: "policy",
				MarkdownDescription: "An object with the attributes of `istio_egress_traffic_policy` that a configuration sets, without `timeouts`, " +
					"such as the result of [`asm_egress_traffic_policy`](asm_egress_traffic_policy).",
			},
			function.DynamicParameter{Name: "options", MarkdownDescription: optionsText},
		},
		Return: function.MapReturn{ElementType: types.StringType},
	}
}

// Run implements function.Function.
func (egressManifests) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var policyValue, optionsValue types.Dynamic
	if resp.Error = req.Arguments.Get(ctx, &policyValue, &optionsValue); resp.Error != nil {
		return
	}
	var p policy.Policy
	var o options
	if resp.Error = argumentError(policyArgument, "policy", decode(ctx, policyAttributes(), policyValue, &p)); resp.Error != nil {
		return
	}
	if resp.Error = argumentError(optionsArgument, "options", decode(ctx, optionAttributes(), optionsValue, &o)); resp.Error != nil {
		return
	}
	objects, ofPolicy, ofOptions := manifests(p, o)
	if resp.Error = argumentError(policyArgument, "policy", ofPolicy); resp.Error != nil {
		return
	}
	if resp.Error = argumentError(optionsArgument, "options", ofOptions); resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, objects)
	}
}

// manifests renders a policy, or returns what is wrong with it and the options.
func manifests(p policy.Policy, o options) (texts map[string]string, ofPolicy, ofOptions []compile.Problem) {
	if ofOptions = o.validate(); len(ofOptions) > 0 {
		return nil, nil, ofOptions
	}
	p = o.apply(p)
	for _, problem := range policy.Validate(p, o.mesh()) {
		if problem.Warning {
			continue
		}
		if o.owns(problem) {
			ofOptions = append(ofOptions, problem)
		} else {
			ofPolicy = append(ofPolicy, problem)
		}
	}
	if len(ofPolicy)+len(ofOptions) > 0 {
		return nil, ofPolicy, ofOptions
	}
	assigned, ofOptions := assign(p, o)
	if len(ofOptions) > 0 {
		return nil, nil, ofOptions
	}
	objects, err := policy.Objects(p, o.mesh(), assigned)
	if err != nil {
		return nil, []compile.Problem{{Summary: "Not compiled", Detail: err.Error() + ". This is a bug of the provider."}}, nil
	}
	texts = map[string]string{}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Body.Object)
		if err != nil {
			return nil, []compile.Problem{{Summary: "Not YAML", Detail: err.Error() + ". This is a bug of the provider."}}, nil
		}
		texts[object.ID().String()] = string(text)
	}
	return texts, nil, nil
}
