package policy

import (
	"maps"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Lists of label selectors, each list being the workloads that at least one of
// its selectors selects. An empty selector selects all.

// covers reports whether every workload that one of the selectors b selects is
// selected by one of a. It may say no where two of a together do.
func covers(a, b []map[string]string) bool {
	for _, selector := range b {
		if !slices.ContainsFunc(a, func(wider map[string]string) bool { return compile.Selects(wider, selector) }) {
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
			if compile.MayMatch(one, other) {
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
		if !slices.ContainsFunc(all[:i], func(other map[string]string) bool { return compile.Selects(other, one) }) &&
			!slices.ContainsFunc(all[i+1:], func(other map[string]string) bool { return compile.Selects(other, one) && !compile.Selects(one, other) }) {
			least = append(least, one)
		}
	}
	slices.SortStableFunc(least, func(a, b map[string]string) int { return len(b) - len(a) })
	return least
}
