package simulation

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
)

// What package conflict refuses is not refused for nothing: for each reason
// some of the pairs that are refused would not do as their policies say.
func TestRefusalsAreReal(t *testing.T) {
	const pairs = 12 // of each reason
	settings := generate.Settings[1]
	whys := []string{}
	states := []state{}
	drawn := map[string]int{}
	var names namer
	for number := 1; number < 400 && len(states) < 6*pairs; number++ {
		s := drawCase(3, number, opNone, nil).Scenario
		if len(s.Policies) == 0 {
			continue
		}
		s.Settings = settings
		other := drawCase(4, number, opNone, nil).Scenario
		for _, p := range other.Policies {
			p.Name = "other"
			if p.ByEgressGateway != nil {
				p.ByEgressGateway = &s.Gateways[0]
			}
			first := s.Policies[0]
			if generate.Invalid(settings, p) != "" || generate.Invalid(settings, first) != "" {
				continue
			}
			why := generate.Refused(settings, p, generate.Live(settings, []policy.Policy{first}))
			if why == "" || drawn[why] == pairs {
				continue
			}
			pair := s.With(first, p).In(names.next())
			compiled, err := compilePolicies(pair, nil)
			if err != nil || compiled.collision() != nil {
				continue // it cannot even be written
			}
			drawn[why]++
			whys = append(whys, why)
			states = append(states, state{kind: settledKind, before: pair, after: pair, objects: compiled.settled(pair).objects()})
		}
	}
	wrong := map[int]bool{}
	for _, m := range check(t, settings, states).mismatches {
		wrong[m.state] = true
	}
	goneWrong := map[string]int{}
	for i, why := range whys {
		if wrong[i] {
			goneWrong[why]++
		}
	}
	for why, n := range drawn {
		t.Logf("%s: %d of %d pairs go wrong", why, goneWrong[why], n)
		if n == pairs && goneWrong[why] == 0 {
			t.Errorf("%s: refused for nothing?", why)
		}
	}
}
