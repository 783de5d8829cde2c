package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// The ways to have the same objects, as they are called in tables and by -rows.
const (
	ourPolicies     = "policies"
	terraformCore   = "terraform_data"
	rawLoop         = "raw"
	kubectlApply    = "kubectl"
	kubectlManifest = "kubectl_manifest"
	longWay         = "wan"
)

// subject is one row of the comparison.
type subject struct {
	name, about string
	// largest is the greatest number of policies that it is run with, if it is not
	// named with another one; 0 is any.
	largest int
	live    func(*lab, context.Context, work) (life, error)
}

// subjects are all that is compared with the provider, which is always run: its
// objects are what the others work on.
var subjects = []subject{
	{terraformCore, "core's floor: the same count and the same bytes of state", 0, (*lab).core},
	{rawLoop, "the API's floor: client-go, 10 connections", 0, (*lab).raw},
	{kubectlApply, "`kubectl apply --server-side` of one file", 0, (*lab).kubectl},
	{kubectlManifest, "`gavinbunney/kubectl` 1.19, a resource for each object, `server_side_apply = true`", 100,
		func(l *lab, ctx context.Context, w work) (life, error) { return l.manifests(ctx, kubectlManifest, w) }},
}

// defaultRows are those that cost little more than the provider itself.
const defaultRows = terraformCore + " " + rawLoop + " " + kubectlApply

// selection is what a run compares, and up to how many policies: 0 is any number.
type selection map[string]int

// selectRows reads names, separated by blanks. `kubectl_manifest=10` runs a row with
// 10 policies at most.
func selectRows(text string) (selection, error) {
	known := map[string]int{longWay: wanLargest}
	names := []string{longWay}
	for _, s := range subjects {
		known[s.name] = s.largest
		names = append(names, s.name)
	}
	chosen := selection{}
	for _, field := range strings.Fields(text) {
		name, largest, bounded := strings.Cut(field, "=")
		if _, ok := known[name]; !ok {
			slices.Sort(names)
			return nil, fmt.Errorf("no row %q; there are: %s", name, strings.Join(names, ", "))
		}
		chosen[name] = known[name]
		if bounded {
			count, err := countsOf(largest)
			if err != nil {
				return nil, err
			}
			chosen[name] = count[0]
		}
	}
	return chosen, nil
}

// has reports whether a row is run with so many policies.
func (s selection) has(name string, count int) bool {
	largest, ok := s[name]
	return ok && (largest == 0 || count <= largest)
}

// longest is the number of policies for the long way, 0 if it is not chosen.
func (s selection) longest(counts []int) int {
	var longest int
	for _, count := range counts {
		if s.has(longWay, count) {
			longest = max(longest, count)
		}
	}
	return longest
}
