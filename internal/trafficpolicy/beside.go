package trafficpolicy

import (
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// beside records what the policy is planned to have, and returns where that
// collides with what other policies of this run are planned to have. It needs
// no cluster. changes says whether the plan changes the policy.
func (r *Resource) beside(owner cluster.Owner, p policy.Policy, wanted planned, changes bool) diag.Diagnostics {
	mesh, settled := r.provider.Mesh, wanted.ports
	r.provider.Plan(settings.Planned{
		Owner: owner, Changes: changes, Keys: plannedKeys(wanted),
		// Compiled again when somebody asks: what is kept for each policy of a
		// run is its intent.
		Objects: func() map[string][]*unstructured.Unstructured {
			objects, _ := policy.Preview(p, mesh, settled)
			return byPlannedKey(objects)
		},
	})
	if !r.provider.PlanChanges() {
		return nil
	}
	var keys []string
	for kind, asked := range conflict.Asks(p, mesh, settled) {
		for _, key := range asked {
			keys = append(keys, kind+" "+key)
		}
	}
	slices.Sort(keys) // so that the diagnostics have an order
	live := conflict.Live{}
	holders := map[*unstructured.Unstructured]conflict.Holder{}
	for _, other := range r.provider.PlannedBeside(owner, keys) {
		live.Add(other.Object)
		holders[other.Object] = conflict.Holder{Ours: true, Planned: true, Name: other.Owner.String()}
	}
	var problems []compile.Problem
	if len(holders) > 0 {
		found := conflict.Check(conflict.Input{
			Policy: p, Mesh: mesh, Ports: settled, Objects: wanted.objects, Live: live,
			Holder: func(object *unstructured.Unstructured) conflict.Holder { return holders[object] },
		})
		for _, c := range found {
			if c.Other != nil { // what is missing has nothing to do with others
				problems = append(problems, c.Problem)
			}
		}
	}
	return append(diagnose.Conflict.Problems(problems), r.samePort(owner, p, wanted)...)
}

// samePort reports the explicit ports that another policy of this run is
// planned to have. What is assigned gives way instead.
func (r *Resource) samePort(owner cluster.Owner, p policy.Policy, wanted planned) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, slot := range wanted.slots {
		if slot.Explicit == 0 {
			continue
		}
		id := policy.GatewayObject(p, r.provider.Mesh, slot, slot.Explicit).ID()
		for _, other := range r.provider.PlannedHolders(owner, id.String()) {
			diags.AddAttributeError(portPath(p, slot), "Two policies of this run want one port", diagnose.PortTaken.With(fmt.Sprintf(
				"Entry %q wants port %d of gateway %s, and so does %s, as this run plans it. "+
					"Choose another port, or leave by_egress_gateway out to have one assigned.",
				slot.Key, slot.Explicit, gatewayName(p), other)))
		}
	}
	return diags
}

// plannedKeys are those under which other policies find what is planned: the
// Gateways whose port is known, by name, and what byPlannedKey has.
func plannedKeys(wanted planned) []string {
	var keys []string
	for _, object := range wanted.objects {
		if object.Body.GroupVersionKind() == gatewayGVK && !wanted.pending[object.Key] {
			keys = append(keys, object.ID().String())
		}
	}
	for key := range byPlannedKey(wanted.objects) {
		keys = append(keys, key)
	}
	return keys
}

// byPlannedKey returns, of the objects of a policy, those that may collide
// with another policy's. The others are named after the policy, or shared.
func byPlannedKey(objects []manifest.Object) map[string][]*unstructured.Unstructured {
	found := map[string][]*unstructured.Unstructured{}
	for _, object := range objects {
		switch kind := object.Body.GetKind(); kind {
		case "VirtualService", "ServiceEntry", "DestinationRule", "Gateway":
			for _, key := range conflict.Keys(object.Body) {
				found[kind+" "+key] = append(found[kind+" "+key], object.Body)
			}
		}
	}
	return found
}
