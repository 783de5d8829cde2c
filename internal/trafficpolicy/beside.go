package trafficpolicy

import (
	"fmt"

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
// no cluster. changes says whether the plan changes the policy: two policies
// that are what they were collide already, and neither is to blame.
func (r *Resource) beside(owner cluster.Owner, p policy.Policy, wanted planned, changes bool) diag.Diagnostics {
	mesh, settled := r.provider.Mesh, wanted.ports
	r.provider.Plan(settings.Planned{
		Owner: owner, Changes: changes, Keys: plannedKeys(wanted),
		// Compiled again when somebody asks: what is kept for each policy of a
		// run is its intent.
		Objects: func() []*unstructured.Unstructured { return bodiesOf(policy.Preview(p, mesh, settled)) },
	})
	var keys []string
	for kind, asked := range conflict.Asks(p, mesh, settled) {
		for _, key := range asked {
			keys = append(keys, kind+" "+key)
		}
	}
	keys = append(keys, wanted.reservations()...)
	others := r.provider.PlannedBeside(owner, keys)
	if len(others) == 0 {
		return nil
	}
	live := conflict.Live{}
	of := map[*unstructured.Unstructured]*settings.Planned{}
	for _, other := range others {
		for _, object := range other.Objects() {
			of[object] = other
			live.Add(object)
		}
	}
	found := conflict.Check(conflict.Input{
		Policy: p, Mesh: mesh, Ports: settled, Objects: wanted.objects, Live: live,
		Holder: func(object *unstructured.Unstructured) conflict.Holder {
			return conflict.Holder{Ours: true, Planned: true, Name: of[object].Owner.String()}
		},
	})
	var problems []compile.Problem
	for _, c := range found {
		if c.Other != nil {
			c.Warning = c.Warning || !changes && !of[c.Other].Changes
			problems = append(problems, c.Problem)
		}
	}
	return append(diagnose.Problems(problems), r.samePort(p, wanted, of)...)
}

// samePort reports the explicit ports that another policy of this run is
// planned to have. What is assigned gives way instead.
func (r *Resource) samePort(p policy.Policy, wanted planned, of map[*unstructured.Unstructured]*settings.Planned) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, slot := range wanted.slots {
		if slot.Explicit == 0 {
			continue
		}
		id := policy.GatewayObject(p, r.provider.Mesh, slot, slot.Explicit).ID()
		for object, other := range of {
			if idOf(object) == id {
				diags.AddAttributeError(portPath(p, slot), "Two policies of this run want one port", fmt.Sprintf(
					"Entry %q wants port %d of gateway %s, and so does %s, as this run plans it. "+
						"Choose another port, or leave by_egress_gateway out to have one assigned.",
					slot.Key, slot.Explicit, gatewayName(p), other.Owner))
			}
		}
	}
	return diags
}

// plannedKeys are those under which other policies find what is planned.
func plannedKeys(wanted planned) []string {
	keys := wanted.reservations()
	for _, object := range wanted.objects {
		kind := object.Body.GetKind()
		switch kind {
		case "VirtualService", "ServiceEntry", "DestinationRule":
			for _, key := range conflict.Keys(object.Body) {
				keys = append(keys, kind+" "+key)
			}
		}
	}
	return keys
}

// reservations are the names of the Gateways whose port is known.
func (w planned) reservations() []string {
	var names []string
	for _, object := range w.objects {
		if object.Body.GroupVersionKind() == gatewayGVK && !w.pending[object.Key] {
			names = append(names, object.ID().String())
		}
	}
	return names
}

func bodiesOf(objects []manifest.Object, _ map[string]bool) []*unstructured.Unstructured {
	bodies := make([]*unstructured.Unstructured, len(objects))
	for i, object := range objects {
		bodies[i] = object.Body
	}
	return bodies
}
