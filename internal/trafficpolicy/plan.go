package trafficpolicy

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ModifyPlan implements resource.ResourceWithModifyPlan: it compiles what the
// configuration wants and says what is already known of it. Nothing it says
// depends on the cluster, so that core, which plans again in another process
// during apply, gets the same answer; a look-up only adds diagnostics.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.provider == nil {
		return
	}
	if !values.KnownBut(req.Plan.Raw, providerAttributes) {
		r.planPartly(ctx, req, resp)
		return
	}
	var plan Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(diagnose.Problems(errorsOf(policy.Validate(plan.Policy, r.mesh())))...)
	if resp.Diagnostics.HasError() {
		return
	}

	var prior *Model
	if !req.State.Raw.IsNull() {
		prior = &Model{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
		if resp.Diagnostics.HasError() {
			return
		}
		resp.RequiresReplace = append(resp.RequiresReplace, replacing(prior.Policy, plan.Policy)...)
	}
	wanted, diags := r.plan(plan.Policy, priorPorts(prior, plan.Policy))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(wanted.computed(r.provider.Detail).attributes().Put(ctx, &resp.Plan.Raw)...)
	if r.provider.MeshKnown && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(r.lookAround(ctx, req.Private, prior, plan.Policy, wanted)...)
	}
}

// replacing returns the attributes whose change makes the policy another
// resource: its namespace is that of its gateway, or of its first source.
func replacing(prior, p policy.Policy) path.Paths {
	switch {
	case identityOf(prior).Namespace == identityOf(p).Namespace:
		return nil
	case prior.ByEgressGateway != nil && p.ByEgressGateway != nil:
		return path.Paths{path.Root("by_egress_gateway").AtName("namespace")}
	case prior.ByEgressGateway == nil && p.ByEgressGateway == nil:
		return path.Paths{path.Root("egress_rules")}
	}
	return path.Paths{path.Root("by_egress_gateway")}
}

// errorsOf drops warnings: core has shown them when it validated the
// configuration.
func errorsOf(problems []compile.Problem) []compile.Problem {
	var errors []compile.Problem
	for _, problem := range problems {
		if !problem.Warning {
			errors = append(errors, problem)
		}
	}
	return errors
}

// priorPorts returns the ports that a policy may keep. Ports are ports of a
// gateway's pods: on another gateway none of them is reserved.
func priorPorts(prior *Model, p policy.Policy) map[string]int64 {
	if prior == nil || !sameGateway(prior.ByEgressGateway, p.ByEgressGateway) {
		return nil
	}
	return ports.Inherit(goPorts(prior.GatewayPorts), policy.Slots(prior.Policy), policy.Slots(p))
}

func sameGateway(a, b *compile.Reference) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && a.Namespace == b.Namespace && maps.Equal(a.PodSelector(), b.PodSelector())
}

// planned is what is known of a policy before its missing ports are assigned.
type planned struct {
	slots   []ports.Slot
	ports   map[string]int64
	objects []manifest.Object
	// pending are the keys of the objects whose body depends on a port that
	// apply assigns, or on a fact of the mesh that is unknown.
	pending map[string]bool
	grants  []string
}

// plan compiles a policy with the ports that are settled.
func (r *Resource) plan(p policy.Policy, prior map[string]int64) (planned, diag.Diagnostics) {
	var diags diag.Diagnostics
	wanted := planned{slots: policy.Slots(p), grants: policy.Grants(p)}
	var clashes []ports.Clash
	wanted.ports, clashes = ports.Keep(prior, wanted.slots)
	for _, clash := range clashes {
		diags.Append(diagnostic(clashError(p, clash)))
	}
	wanted.objects, wanted.pending = policy.Preview(p, r.mesh(), wanted.ports)
	if !r.provider.MeshKnown {
		// Which objects there are, and who is granted what, the policy says;
		// what the objects look like, only the mesh.
		for _, object := range wanted.objects {
			wanted.pending[object.Key] = true
		}
	}
	return wanted, diags
}

// computed returns the computed attributes of a plan. Keys are always known.
func (w planned) computed(detail manifest.Detail) Computed {
	return Computed{
		GatewayPorts: portMap(w.ports, w.members()),
		Grants:       values.Set(w.grants),
		Manifests:    types.MapValueMust(types.StringType, w.manifests(detail)),
		Drift:        values.Map(nil),
	}
}

// manifests returns the elements of `manifests`.
func (w planned) manifests(detail manifest.Detail) map[string]attr.Value {
	manifests := make(map[string]attr.Value, len(w.objects))
	for _, object := range w.objects {
		if w.pending[object.Key] {
			manifests[object.Key] = types.StringUnknown()
		} else {
			manifests[object.Key] = types.StringValue(detail.Render(object.Body))
		}
	}
	return manifests
}

// members returns the keys of `gateway_ports`.
func (w planned) members() []string {
	var members []string
	for _, slot := range w.slots {
		members = append(members, slot.Members...)
	}
	return members
}

// portPath returns the attribute that names the port of a slot.
func portPath(p policy.Policy, slot ports.Slot) path.Path {
	for i, rule := range p.EgressRules {
		for j, to := range rule.To {
			if to.ByEgressGateway != nil && to.Name == slot.Key {
				return path.Root("egress_rules").AtListIndex(i).AtName("to").AtListIndex(j).AtName("by_egress_gateway").AtName("port")
			}
		}
	}
	return path.Root("egress_rules")
}

// gatewayName returns "namespace/name" of the policy's gateway.
func gatewayName(p policy.Policy) string {
	if p.ByEgressGateway == nil {
		return ""
	}
	return p.ByEgressGateway.Namespace + "/" + p.ByEgressGateway.Name
}
