package trafficpolicy

import "testing"

// What the plan of an unchanged policy costs, the framework's share included.
func BenchmarkPlan(b *testing.B) {
	s := newServer(b, meshKnown)
	config := configOf(b, example())
	applied := appliedState(b, s, config)
	for b.Loop() {
		s.Plan(config, applied)
	}
}

func BenchmarkValidate(b *testing.B) {
	s := newServer(b, meshKnown)
	config := configOf(b, example())
	for b.Loop() {
		s.Validate(config)
	}
}

// What the plan of a new policy costs.
func BenchmarkPlanNew(b *testing.B) {
	s := newServer(b, meshKnown)
	config := configOf(b, example())
	for b.Loop() {
		s.Plan(config, s.None())
	}
}
