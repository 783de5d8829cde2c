package trafficpolicy

import "testing"

// What the plan of an unchanged policy costs, the framework's share included.
func BenchmarkPlan(b *testing.B) {
	s := newServer(b, offline{meshKnown: true})
	config := configOf(b, example())
	applied := appliedState(b, s, config)
	for b.Loop() {
		s.plan(config, applied)
	}
}

func BenchmarkValidate(b *testing.B) {
	s := newServer(b, offline{meshKnown: true})
	config := configOf(b, example())
	for b.Loop() {
		s.validate(config)
	}
}
