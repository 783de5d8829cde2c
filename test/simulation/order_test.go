package simulation

import (
	"math/rand/v2"
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
			objects := compiled.objects[0]
			if backwards {
				for i := range objects {
					objects[i].Stage = -objects[i].Stage
				}
			}
			passed := moments(holding(gatewayObjects(named)), manifest.Creating(objects), nil, rand.New(rand.NewPCG(1, 1)))
			more = n+1 < len(passed)
			states = append(states, state{
				kind: opApply, before: named.With(), after: named, objects: passed[n].objects(), probes: generate.Calls(named),
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

// Each write that changes something is a moment, and shared objects stay while
// they have other users.
func TestMoments(t *testing.T) {
	compiled, err := compilePolicies(mutated(), nil)
	if err != nil {
		t.Fatal(err)
	}
	own := compiled.objects[0]
	order := rand.New(rand.NewPCG(2, 2))
	up := moments(nil, manifest.Creating(own), nil, order)
	if len(up) != len(own)+1 || len(up[len(up)-1]) != len(own) {
		t.Errorf("%d moments for %d objects", len(up), len(own))
	}
	if again := moments(up[len(up)-1], manifest.Creating(own), nil, order); len(again) != 1 {
		t.Errorf("%d moments, and nothing to write", len(again))
	}
	for _, shared := range []bool{false, true} {
		down := moments(holding(own), manifest.Deleting(own), func(manifest.ID) bool { return shared }, order)
		for _, left := range down[len(down)-1] {
			if !shared || left.object.Shared == nil {
				t.Errorf("in use %t: %s is left", shared, left.id)
			}
		}
	}
}
