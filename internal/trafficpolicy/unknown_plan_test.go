package trafficpolicy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
)

// broken says how a value breaks what a plan has promised, by core's rules
// (internal/plans/objchange, assertValueCompatible); nothing if it keeps it.
func broken(at string, promised, now tftypes.Value) []string {
	switch {
	case !promised.IsKnown():
		return nil
	case !now.IsKnown():
		return []string{at + " was known, and is unknown"}
	case promised.IsNull() != now.IsNull():
		return []string{fmt.Sprintf("%s was %s, and is %s", at, promised, now)}
	case promised.IsNull():
		return nil
	}
	switch promised.Type().(type) {
	case tftypes.Object, tftypes.Map:
		return brokenMap(at, promised, now)
	case tftypes.List:
		return brokenList(at, promised, now)
	case tftypes.Set:
		return brokenSet(at, promised, now)
	}
	if !promised.Equal(now) {
		return []string{fmt.Sprintf("%s was %s, and is %s", at, promised, now)}
	}
	return nil
}

func brokenMap(at string, promised, now tftypes.Value) []string {
	var before, after map[string]tftypes.Value
	_, _ = promised.As(&before), now.As(&after) // of the same type
	if !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
		return []string{fmt.Sprintf("%s had the keys %v, and has %v", at, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))}
	}
	var all []string
	for key, value := range before {
		all = append(all, broken(at+"."+key, value, after[key])...)
	}
	return all
}

func elements(value tftypes.Value) []tftypes.Value {
	var all []tftypes.Value
	_ = value.As(&all) // it is a list or set
	return all
}

func brokenList(at string, promised, now tftypes.Value) []string {
	before, after := elements(promised), elements(now)
	if len(before) != len(after) {
		return []string{fmt.Sprintf("%s had %d elements, and has %d", at, len(before), len(after))}
	}
	var all []string
	for i := range before {
		all = append(all, broken(fmt.Sprintf("%s[%d]", at, i), before[i], after[i])...)
	}
	return all
}

func brokenSet(at string, promised, now tftypes.Value) []string {
	before, after := elements(promised), elements(now)
	var all []string
	if len(after) > len(before) {
		all = append(all, fmt.Sprintf("%s had %d elements, and has %d", at, len(before), len(after)))
	}
	for _, value := range before {
		if !slices.ContainsFunc(after, func(other tftypes.Value) bool { return len(broken(at, value, other)) == 0 }) {
			all = append(all, fmt.Sprintf("%s lacks %s", at, value))
		}
	}
	for _, value := range after {
		if !slices.ContainsFunc(before, func(other tftypes.Value) bool { return len(broken(at, other, value)) == 0 }) {
			all = append(all, fmt.Sprintf("%s has %s too", at, value))
		}
	}
	return all
}

// Whatever the unknown values turn out to be, the plan that knows them keeps
// every promise of the plan that did not: as a create, and as an update of
// another policy of that name.
func TestUnknownValuesPromiseNothingTooMuch(t *testing.T) {
	shared := newServer(t, meshKnown)
	rapid.Check(t, func(t *rapid.T) {
		s := shared.In(t)
		s.Configure()
		final := configOf(t, policytest.Policy(t))
		before := s.None()
		if rapid.Bool().Draw(t, "update") {
			before = appliedState(t, s, configOf(t, policytest.Policy(t)))
			s.Configure()
		}
		partly := final
		for range rapid.IntRange(1, 4).Draw(t, "unknown values") {
			partly = unknownSomewhere(t, partly)
		}
		promised, early := s.Plan(partly, before)
		now, late := s.Plan(final, before)
		if hasErrors(late.Diagnostics) {
			t.Skip("a port that was assigned is now demanded for another entry")
		}
		failOnErrors(t, early.Diagnostics)
		for _, text := range broken("plan", promised, now) {
			t.Error(text)
		}
	})
}

// Another namespace of the gateway replaces the policy, whatever else is
// unknown: core refuses a replacement that it hears of only at apply. One that
// is unknown does not: most often it turns out to be the same.
func TestReplacementWithUnknownValues(t *testing.T) {
	s := newServer(t, meshKnown)
	applied := appliedState(t, s, configOf(t, example()))
	host := tftypes.NewAttributePath().WithAttributeName("egress_rules").WithElementKeyInt(0).
		WithAttributeName("to").WithElementKeyInt(1).WithAttributeName("hosts").WithElementKeyInt(0)
	moved := example()
	moved.ByEgressGateway.Namespace = "istio-egress-b"
	_, resp := s.Plan(withUnknown(t, configOf(t, moved), host), applied)
	failOnErrors(t, resp.Diagnostics)
	if len(resp.RequiresReplace) == 0 {
		t.Error("another namespace does not replace the policy")
	}
	for _, unknown := range []*tftypes.AttributePath{host, tftypes.NewAttributePath().WithAttributeName("by_egress_gateway")} {
		_, resp = s.Plan(withUnknown(t, configOf(t, example()), unknown), applied)
		failOnErrors(t, resp.Diagnostics)
		if len(resp.RequiresReplace) > 0 {
			t.Errorf("an unknown %s replaces the policy", unknown)
		}
	}
}

// unknownSomewhere makes one value of the intent unknown, perhaps one that is
// null.
func unknownSomewhere(t *rapid.T, config tftypes.Value) tftypes.Value {
	var paths []*tftypes.AttributePath
	_ = tftypes.Walk(config, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if steps := at.Steps(); len(steps) > 0 {
			if name, ok := steps[0].(tftypes.AttributeName); ok && providerAttributes[string(name)] {
				return false, nil
			}
			if value.IsKnown() {
				paths = append(paths, at)
			}
		}
		return true, nil
	})
	slices.SortFunc(paths, func(a, b *tftypes.AttributePath) int { return strings.Compare(a.String(), b.String()) })
	return withUnknown(t, config, rapid.SampledFrom(paths).Draw(t, "unknown"))
}

func hasErrors(diags []*tfprotov6.Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError })
}
