package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Operations in the course of which a case is looked at.
const (
	opNone    = settledKind
	opApply   = "apply"
	opDestroy = "destroy"
	opUpdate  = "update"
)

// testCase is one random mesh, and an operation on its last policy (or on the
// edited one).
type testCase struct {
	// Order draws the order of writes that are made in parallel.
	Order     int               `json:"order"`
	Operation string            `json:"operation"`
	Scenario  scenario.Scenario `json:"scenario"`
	Edited    generate.Edited   `json:"edited,omitzero"`
	// How the case is broken on purpose, to see that it is caught.
	broken breakage
}

// breakage is what is done wrong in a case.
type breakage struct {
	// careless is an update that writes nothing first.
	careless bool
	// objects is what becomes of the objects of a policy.
	objects func([]manifest.Object) []manifest.Object
}

// drawCase draws the case of a number under a seed. The same two are the same
// case, whatever is drawn with it.
func drawCase(seed, number int, operation string, tally *generate.Tally) testCase {
	source := rand.New(rand.NewPCG(uint64(seed), uint64(number)))
	settings := generate.Settings[source.IntN(len(generate.Settings))]
	example := int(source.Int64())
	c := testCase{Order: example, Operation: operation, Scenario: generate.Scenario(settings, tally).Example(example)}
	if operation == opUpdate && len(c.Scenario.Policies) > 0 {
		c.Edited = generate.Edit(c.Scenario, tally).Example(example)
		if !c.Edited.OK {
			c.Operation = opApply
		}
	}
	return c
}

// namer hands out prefixes of namespaces, one per state.
type namer int

func (n *namer) next() string {
	*n++
	return fmt.Sprintf("s%d-", int(*n))
}

// states returns the states in which the case is to be looked at.
func (c testCase) states(names *namer) ([]state, error) {
	if len(c.Scenario.Policies) == 0 {
		return nil, nil
	}
	if c.Operation == opNone {
		s := c.Scenario.In(names.next())
		compiled, err := c.compile(s, nil)
		if err == nil {
			err = compiled.collision()
		}
		if err != nil {
			return nil, err
		}
		return []state{{kind: opNone, before: s, after: s, objects: compiled.settled(s).objects()}}, nil
	}
	var all []state
	for n := 0; ; n++ {
		s, more, err := c.moment(names.next(), n)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if !more {
			return all, nil
		}
	}
}

func (c testCase) compile(s scenario.Scenario, kept map[string]map[string]int64) (compilation, error) {
	compiled, err := compilePolicies(s, kept)
	if c.broken.objects != nil {
		for i := range compiled.objects {
			compiled.objects[i] = c.broken.objects(compiled.objects[i])
		}
	}
	return compiled, err
}

// moment returns the n-th moment of the case's operation, and whether there
// are more.
func (c testCase) moment(prefix string, n int) (state, bool, error) {
	order := rand.New(rand.NewPCG(uint64(c.Order), 0))
	index := len(c.Scenario.Policies) - 1
	if c.Operation == opUpdate {
		index = c.Edited.Index
	}
	whole := c.Scenario.In(prefix)
	rest := whole.With(slices.Delete(slices.Clone(whole.Policies), index, index+1)...)
	compiled, err := c.compile(whole, nil)
	if err != nil {
		return state{}, false, err
	}
	own := compiled.objects[index]
	others := compiled
	others.objects = slices.Delete(slices.Clone(compiled.objects), index, index+1)
	base := others.settled(whole)
	used := func(id manifest.ID) bool { return base.index(id) >= 0 }

	s := state{kind: c.Operation}
	var passed []inCluster
	switch c.Operation {
	case opApply:
		s.before, s.after = rest, whole
		passed = moments(base, manifest.Creating(own), used, order)
	case opDestroy:
		s.before, s.after = whole, rest
		passed = moments(holding(base.objects(), own), manifest.Deleting(own), used, order)
	case opUpdate:
		policies := slices.Clone(c.Scenario.Policies)
		policies[index] = c.Edited.Policy
		s.before, s.after = whole, c.Scenario.With(policies...).In(prefix)
		first, next, err := c.transition(s, others, compiled.ports, index)
		if err != nil {
			return state{}, false, err
		}
		walk := slices.Concat(reserving(own, next), manifest.Updating(own, first, next))
		passed = moments(holding(base.objects(), own), walk, used, order)
	}
	s.objects = passed[n].objects()
	s.moment = fmt.Sprintf("%d of %d", n, len(passed)-1)
	s.probes = generate.Calls(whole.With(append(slices.Clone(s.before.Policies), s.after.Policies...)...))
	return s, n+1 < len(passed), nil
}

// transition compiles the update of a policy, as the resource does.
func (c testCase) transition(s state, others compilation, kept map[string]map[string]int64, index int) (first, next []manifest.Object, err error) {
	before, after := s.before.Policies[index], s.after.Policies[index]
	assigned, err := others.assign(s.after, after, kept)
	if err != nil {
		return nil, nil, err
	}
	first, next, err = policy.Transition(
		policy.Version{Policy: before, Ports: kept[before.Name]},
		policy.Version{Policy: after, Ports: assigned}, s.after.Mesh())
	if c.broken.careless {
		first = nil
		for i, o := range next {
			if o.Body.GetKind() == "Gateway" {
				next[i].Stage = -1 // before all else, as in a create
			}
		}
	}
	return first, next, err
}
