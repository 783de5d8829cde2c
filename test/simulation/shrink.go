package simulation

import (
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// shrink takes parts out of a case as long as it fails, at most tries times.
func shrink(c testCase, fails func(testCase) bool, tries int) testCase {
	for again := true; again; {
		again = false
		for _, smaller := range c.parts() {
			if tries--; tries < 0 {
				return c
			}
			if fails(smaller) {
				c, again = smaller, true
				break
			}
		}
	}
	return c
}

// parts returns the cases that lack one part of c.
func (c testCase) parts() []testCase {
	var all []testCase
	for i := range c.Scenario.Policies {
		next := c
		if c.Operation == opUpdate && i == c.Edited.Index || len(c.Scenario.Policies) == 1 {
			continue
		}
		if i < c.Edited.Index {
			next.Edited.Index--
		}
		next.Scenario.Policies = slices.Delete(slices.Clone(c.Scenario.Policies), i, i+1)
		all = append(all, next)
	}
	for i := range c.Scenario.Sidecars {
		next := c
		next.Scenario.Sidecars = slices.Delete(slices.Clone(c.Scenario.Sidecars), i, i+1)
		all = append(all, next)
	}
	if c.Operation == opUpdate {
		// What both versions have goes from both.
		before, after := partsOf(c.Scenario.Policies[c.Edited.Index]), partsOf(c.Edited.Policy)
		if len(before) == len(after) {
			for i := range before {
				next := c.with(c.Edited.Index, before[i])
				next.Edited.Policy = after[i]
				all = append(all, next)
			}
		}
		for _, p := range after {
			next := c
			next.Edited.Policy = p
			all = append(all, next)
		}
	}
	for i, p := range c.Scenario.Policies {
		for _, smaller := range partsOf(p) {
			all = append(all, c.with(i, smaller))
		}
	}
	return all
}

func (c testCase) with(i int, p policy.Policy) testCase {
	c.Scenario.Policies = slices.Clone(c.Scenario.Policies)
	c.Scenario.Policies[i] = p
	return c
}

// partsOf returns the policies that lack one part of p.
func partsOf(p policy.Policy) []policy.Policy {
	var all []policy.Policy
	rules := func(rules []policy.Rule) {
		next := p
		next.EgressRules = rules
		all = append(all, next)
	}
	for r, rule := range p.EgressRules {
		if len(p.EgressRules) > 1 {
			rules(without(p.EgressRules, r))
		}
		changed := func(rule policy.Rule) {
			next := slices.Clone(p.EgressRules)
			next[r] = rule
			rules(next)
		}
		for e, to := range rule.To {
			next := rule
			if len(rule.To) > 1 {
				next.To = without(rule.To, e)
				changed(next)
			}
			for h := range to.Hosts {
				if len(to.Hosts) > 1 {
					next.To = slices.Clone(rule.To)
					next.To[e].Hosts = without(to.Hosts, h)
					changed(next)
				}
			}
		}
		for f := range rule.From {
			if len(rule.From) > 1 {
				next := rule
				next.From = without(rule.From, f)
				changed(next)
			}
		}
	}
	return all
}

func without[T any](list []T, i int) []T { return slices.Delete(slices.Clone(list), i, i+1) }
