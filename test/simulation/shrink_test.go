package simulation

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// failures is where cases are kept that once failed.
const failures = "testdata/failures"

// TestFailures checks the cases that once failed.
func TestFailures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(failures, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s scenario.Scenario
			if err := json.Unmarshal(content, &s); err != nil {
				t.Fatal(err)
			}
			for _, m := range alone(t, s) {
				t.Errorf("%s\n%s", m, text(s))
			}
		})
	}
}

// keep makes a failing case smaller as long as it fails, and writes it down.
func keep(t *testing.T, c testCase) {
	fails := func(s scenario.Scenario) bool { return len(alone(t, s)) > 0 }
	if !fails(c.scenario) {
		t.Errorf("case %d fails only among others", c.seed)
		return
	}
	small := shrink(c.scenario, fails, 60)
	content, err := json.MarshalIndent(small, "", "  ")
	if err == nil {
		err = os.MkdirAll(failures, 0o755)
	}
	file := filepath.Join(failures, fmt.Sprintf("%d.json", c.seed))
	if err == nil {
		err = os.WriteFile(file, append(content, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("case %d, made smaller (%s): %s\n%s", c.seed, file, alone(t, small)[0], text(small))
}

// alone checks a scenario by itself.
func alone(t *testing.T, s scenario.Scenario) []mismatch {
	var names namer
	states, err := testCase{scenario: s, operation: opNone}.states(&names)
	if err != nil {
		return []mismatch{{call: err.Error()}}
	}
	return check(t, s.Settings, states).mismatches
}

// shrink takes parts out of a scenario as long as it fails, at most tries
// times.
func shrink(s scenario.Scenario, fails func(scenario.Scenario) bool, tries int) scenario.Scenario {
	for again := true; again; {
		again = false
		for _, smaller := range parts(s) {
			if tries--; tries < 0 {
				return s
			}
			if len(smaller.Policies) > 0 && fails(smaller) {
				s, again = smaller, true
				break
			}
		}
	}
	return s
}

// parts returns the scenarios that lack one part of s.
func parts(s scenario.Scenario) []scenario.Scenario {
	var all []scenario.Scenario
	with := func(i int, p policy.Policy) {
		next := s
		next.Policies = slices.Clone(s.Policies)
		next.Policies[i] = p
		all = append(all, next)
	}
	for i := range s.Policies {
		all = append(all, s.With(slices.Delete(slices.Clone(s.Policies), i, i+1)...))
	}
	for i := range s.Sidecars {
		next := s
		next.Sidecars = slices.Delete(slices.Clone(s.Sidecars), i, i+1)
		all = append(all, next)
	}
	for i, p := range s.Policies {
		for r, rule := range p.EgressRules {
			if len(p.EgressRules) > 1 {
				next := p
				next.EgressRules = slices.Delete(slices.Clone(p.EgressRules), r, r+1)
				with(i, next)
			}
			changed := func(rule policy.Rule) {
				next := p
				next.EgressRules = slices.Clone(p.EgressRules)
				next.EgressRules[r] = rule
				with(i, next)
			}
			for e, to := range rule.To {
				if len(rule.To) > 1 {
					next := rule
					next.To = slices.Delete(slices.Clone(rule.To), e, e+1)
					changed(next)
				}
				for h := range to.Hosts {
					if len(to.Hosts) > 1 {
						next := rule
						next.To = slices.Clone(rule.To)
						next.To[e].Hosts = slices.Delete(slices.Clone(to.Hosts), h, h+1)
						changed(next)
					}
				}
			}
			for f := range rule.From {
				if len(rule.From) > 1 {
					next := rule
					next.From = slices.Delete(slices.Clone(rule.From), f, f+1)
					changed(next)
				}
			}
		}
	}
	return all
}
