package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
	seed      int
	scenario  scenario.Scenario
	operation string
	edited    generate.Edited
}

// drawCase draws the case of a number. The same number is the same case.
func drawCase(settings scenario.Settings, seed int, operation string) testCase {
	c := testCase{seed: seed, operation: operation, scenario: generate.Scenario(settings).Example(seed)}
	if operation == opUpdate && len(c.scenario.Policies) > 0 {
		c.edited = generate.Edit(c.scenario).Example(seed)
		if !c.edited.OK {
			c.operation = opApply
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
	if len(c.scenario.Policies) == 0 {
		return nil, nil
	}
	if c.operation == opNone {
		s := c.scenario.In(names.next())
		compiled, err := compilePolicies(s, nil)
		if err != nil {
			return nil, err
		}
		if err := compiled.collision(); err != nil {
			return nil, err
		}
		objects := applied(append(compilation{gatewayObjects(s)}, compiled...)...)
		return []state{{kind: opNone, before: s, after: s, objects: objects}}, nil
	}
	var all []state
	for n := 0; ; n++ {
		s, more, err := c.moment(names.next(), n)
		if err != nil {
			return nil, err
		}
		if !more {
			return all, nil
		}
		all = append(all, s)
	}
}

// moment returns the n-th moment of the case's operation.
func (c testCase) moment(prefix string, n int) (state, bool, error) {
	order := rand.New(rand.NewPCG(uint64(c.seed), 0))
	index := len(c.scenario.Policies) - 1
	if c.operation == opUpdate {
		index = c.edited.Index
	}
	whole := c.scenario.In(prefix)
	rest := whole.With(slices.Delete(slices.Clone(whole.Policies), index, index+1)...)
	ports := map[string]map[string]int64{}
	compiled, err := compilePolicies(whole, ports)
	if err != nil {
		return state{}, false, err
	}
	own := compiled[index]
	others := slices.Delete(slices.Clone(compiled), index, index+1)
	used := func(o manifest.Object) bool {
		return slices.ContainsFunc(others, func(list []manifest.Object) bool { return indexOf(list, o) >= 0 })
	}
	base := applied(append(compilation{gatewayObjects(whole)}, others...)...)

	s := state{kind: c.operation}
	var moments [][]manifest.Object
	switch c.operation {
	case opApply:
		s.before, s.after = rest, whole
		moments = applying(base, own, order)
	case opDestroy:
		s.before, s.after = whole, rest
		moments = destroying(applied(base, own), own, used, order)
	case opUpdate:
		changed := c.scenario
		changed.Policies = slices.Clone(changed.Policies)
		changed.Policies[index] = c.edited.Policy
		changed = changed.In(prefix)
		s.before, s.after = whole, changed
		recompiled, err := compilePolicies(changed, ports)
		if err != nil {
			return state{}, false, err
		}
		moments = updating(applied(base, own), own, recompiled[index], used, order)
	}
	if n >= len(moments) {
		return state{}, false, nil
	}
	s.objects = moments[n]
	s.moment = fmt.Sprintf("%d of %d", n, len(moments)-1)
	s.probes = generate.Calls(whole.With(append(slices.Clone(s.before.Policies), s.after.Policies...)...))
	return s, true, nil
}
