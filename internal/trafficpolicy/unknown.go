package trafficpolicy

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// A plan with unknown values says "known after apply" of what depends on them,
// and of nothing else. What depends on them is found by compiling the policy
// twice, with other stand-ins for the unknown values each time: what comes out
// alike does not depend on them.
//
// That a value may turn out to be equal to another one of the policy is no
// exception. Where equality joins or parts objects, by names, hosts and
// namespaces, or ports that entries name, the stand-ins already change the
// keys, and then all of the map is unknown. All other values show only in the
// objects that hold them.

// planPartly plans a configuration of which some of the intent is unknown.
func (r *Resource) planPartly(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var prior *Model
	if !req.State.Raw.IsNull() {
		prior = &Model{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	}
	one, diags := standIns(ctx, req.Plan, 0)
	resp.Diagnostics.Append(diags...)
	other, diags := standIns(ctx, req.Plan, 1)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if prior != nil && identityOf(one).Namespace == identityOf(other).Namespace {
		resp.RequiresReplace = append(resp.RequiresReplace, replacing(prior.Policy, one)...)
	}
	wanted, clashes := r.plan(one, priorPorts(prior, one))
	also, _ := r.plan(other, priorPorts(prior, other))

	computed := unknownComputed()
	if reflect.DeepEqual(wanted.slots, also.slots) {
		resp.Diagnostics.Append(clashes...)
		computed.GatewayPorts = portMap(common(wanted.ports, also.ports), wanted.members())
		computed.Manifests = commonManifests(wanted, also, r.provider.Detail)
	}
	if !countless(req.Plan.Raw) {
		computed.Grants = commonGrants(wanted.grants, also.grants)
	}
	resp.Diagnostics.Append(computed.attributes().Put(ctx, &resp.Plan.Raw)...)
}

// common returns what two maps have in common.
func common[V comparable](a, b map[string]V) map[string]V {
	both := map[string]V{}
	for key, value := range a {
		if other, ok := b[key]; ok && other == value {
			both[key] = value
		}
	}
	return both
}

// commonManifests returns a map in which the objects that differ are unknown;
// an unknown map where it is unknown which objects there are.
func commonManifests(one, other planned, detail manifest.Detail) types.Map {
	a, b := one.manifests(detail), other.manifests(detail)
	if len(a) != len(b) {
		return types.MapUnknown(types.StringType)
	}
	for key, value := range a {
		also, ok := b[key]
		if !ok {
			return types.MapUnknown(types.StringType)
		}
		if !value.Equal(also) {
			a[key] = types.StringUnknown()
		}
	}
	return types.MapValueMust(types.StringType, a)
}

// commonGrants returns a set of the lines that both have, and an unknown
// element for each further one. Core takes a planned set with unknown elements
// for a promise that each of its known elements will be there, and at most as
// many elements in all (internal/plans/objchange, assertSetValuesCompatible).
func commonGrants(one, other []string) types.Set {
	known := map[string]bool{}
	for _, line := range other {
		known[line] = true
	}
	var lines []attr.Value
	for _, line := range one {
		if known[line] {
			lines = append(lines, types.StringValue(line))
		}
	}
	if len(lines) == 0 {
		return types.SetUnknown(types.StringType)
	}
	for range max(len(one), len(other)) - len(lines) {
		lines = append(lines, types.StringUnknown())
	}
	return types.SetValueMust(types.StringType, lines)
}

// countless reports whether it is unknown how many grants there are: a list of
// rules, sources, entries or hosts is unknown, or a whole rule or entry, or
// whether there is a gateway.
func countless(raw tftypes.Value) bool {
	found := false
	// The callback returns no error, so Walk does not either.
	_ = tftypes.Walk(raw, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if value.IsKnown() || found {
			return !found, nil
		}
		switch lastName(at) {
		case "by_egress_gateway":
			found = len(at.Steps()) == 1
		case "egress_rules", "to", "hosts":
			// Also of an element of the first two. An unknown host is one host.
			found = !value.Type().Is(tftypes.String)
		case "from":
			_, isSource := value.Type().(tftypes.Object)
			found = !isSource
		}
		return false, nil
	})
	return found
}
