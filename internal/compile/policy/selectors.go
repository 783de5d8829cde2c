package policy

import (
	"maps"
	"slices"
)

// Lists of label selectors, each list being the workloads that at least one of
// its selectors selects. An empty selector selects all.

// covers reports whether every workload that one of the selectors b selects is
// selected by one of a. It may say no where two of a together do.
func covers(a, b []map[string]string) bool {
	for _, selector := range b {
		if !slices.ContainsFunc(a, func(wider map[string]string) bool { return implies(selector, wider) }) {
			return false
		}
	}
	return true
}

// implies reports whether whatever has the labels a has the labels b.
func implies(a, b map[string]string) bool {
	for key, value := range b {
		if got, ok := a[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// meet returns selectors of the workloads that a and b select.
func meet(a, b []map[string]string) []map[string]string {
	var all []map[string]string
	for _, one := range a {
		for _, other := range b {
			if mayMatch(one, other) {
				both := maps.Clone(one)
				if both == nil && len(other) > 0 {
					both = map[string]string{}
				}
				maps.Copy(both, other)
				all = append(all, both)
			}
		}
	}
	var least []map[string]string
	for i, one := range all {
		if !slices.ContainsFunc(all[:i], func(other map[string]string) bool { return implies(one, other) }) &&
			!slices.ContainsFunc(all[i+1:], func(other map[string]string) bool { return implies(one, other) && !implies(other, one) }) {
			least = append(least, one)
		}
	}
	slices.SortStableFunc(least, func(a, b map[string]string) int { return len(b) - len(a) })
	return least
}
