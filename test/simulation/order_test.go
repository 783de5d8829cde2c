package simulation

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
)

// What is granted in the middle of an apply is seen: where everybody else may
// go directly, a source ServiceEntry that is written before the VirtualService
// lets the selected workloads past the gateway for a moment.
func TestWrongOrderIsCaught(t *testing.T) {
	s := base(unselectedDirect(by("p", []policy.From{from("shop", "a", "a")}, to("web", "HTTP", 80, "h1.example"), to("tls", "HTTPS", 443, "h2.example"))))
	s.RegistryOnly = true
	for _, backwards := range []bool{false, true} {
		var names namer
		var states []state
		for n, more := 0, true; more; n++ {
			named := s.In(names.next())
			compiled, err := compilePolicies(named, nil)
			if err != nil {
				t.Fatal(err)
			}
			objects := compiled[0]
			if backwards {
				for i := range objects {
					objects[i].Stage = -objects[i].Stage
				}
			}
			moments := applying(gatewayObjects(named), objects, rand.New(rand.NewPCG(1, 1)))
			more = n+1 < len(moments)
			states = append(states, state{
				kind: opApply, before: named.With(), after: named, objects: moments[n], probes: generate.Calls(named),
			})
		}
		found := check(t, s.Settings, states).mismatches
		if backwards && len(found) == 0 {
			t.Error("backwards: not caught")
		}
		if !backwards && len(found) > 0 {
			t.Errorf("in order: %s", found[0])
		}
		t.Logf("backwards %t: %d moments, %d mismatches", backwards, len(states), len(found))
	}
}

// The moments of an operation follow the engine's contract: every object is
// written once, stage by stage, and deleted in the opposite order, the shared
// ones last.
func TestMoments(t *testing.T) {
	s := mutated()
	compiled, err := compilePolicies(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	own := compiled[0]
	order := rand.New(rand.NewPCG(2, 2))
	up := applying(nil, own, order)
	if len(up) != len(own)+1 || len(up[len(up)-1]) != len(own) {
		t.Errorf("%d moments for %d objects", len(up), len(own))
	}
	stages := []int{}
	for _, o := range up[len(up)-1] {
		stages = append(stages, o.Stage)
	}
	if !slices.IsSorted(stages) {
		t.Errorf("stages %v", stages)
	}
	down := destroying(own, own, func(manifest.Object) bool { return false }, order)
	if len(down[len(down)-1]) != 0 {
		t.Errorf("%d objects are left", len(down[len(down)-1]))
	}
	last := down[len(down)-2]
	if len(last) != 1 || last[0].Shared == nil {
		t.Errorf("the last object to go is %v", last)
	}
	kept := destroying(own, own, func(manifest.Object) bool { return true }, order)
	for _, o := range kept[len(kept)-1] {
		if o.Shared == nil {
			t.Errorf("%s is left", o.Key)
		}
	}
}
