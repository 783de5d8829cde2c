package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// What is written first is an object of the prior version, changed or removed;
// it depends neither on the order of the configuration nor on ports that are
// not there; and the objects are those of a create.
func TestTransition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior := policy.Version{Policy: randomPolicy(t)}
		prior.Ports = assign(prior.Policy)
		next := prior
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			next.Policy = policytest.Edit(t, next.Policy)
		}
		next.Ports = keep(prior.Ports, next.Policy)
		first, objects, err := policy.Transition(prior, next, defaultMesh)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(bodies(mustObjects(t, next.Policy, next.Ports)), bodies(objects)); diff != "" {
			t.Fatal(diff)
		}
		was, staying := byID(mustObjects(t, prior.Policy, prior.Ports)), byID(objects)
		for _, o := range first {
			old, ok := was[o.ID()]
			if _, stays := staying[o.ID()]; !ok || stays && manifest.Canonical(old.Body) == manifest.Canonical(o.Body) {
				t.Fatalf("%s was %v", o.Key, old.Body)
			}
		}
		again, _, _ := policy.Transition(
			policy.Version{Policy: shuffled(t, prior.Policy), Ports: prior.Ports},
			policy.Version{Policy: shuffled(t, next.Policy), Ports: next.Ports}, defaultMesh)
		if diff := cmp.Diff(bodies(first), bodies(again)); diff != "" {
			t.Fatal(diff)
		}
		same, _, _ := policy.Transition(next, next, defaultMesh)
		if len(same) > 0 {
			t.Fatalf("nothing changes, and first: %v", same)
		}
		incomplete, _, _ := policy.Transition(policy.Version{Policy: prior.Policy}, next, defaultMesh)
		for _, o := range incomplete {
			if o.Body.GetKind() == "Gateway" || strings.Contains(manifest.Canonical(o.Body), fmt.Sprint(ports.Highest+1)) {
				t.Fatalf("%s cannot be there", manifest.Canonical(o.Body))
			}
		}
	})
}

// keep gives the slots of a policy the ports that they had, and others to those
// that are new.
func keep(had map[string]int64, p policy.Policy) map[string]int64 {
	slots := policy.Slots(p)
	assigned, _ := ports.Keep(had, slots)
	for n, slot := range ports.Missing(assigned, slots) {
		slot.Set(assigned, ports.Last-int64(n))
	}
	return assigned
}

func byID(objects []manifest.Object) map[manifest.ID]manifest.Object {
	all := map[manifest.ID]manifest.Object{}
	for _, o := range objects {
		all[o.ID()] = o
	}
	return all
}

// TestFirstWrites says what is written first, and whether that is what the
// object shall be in the end: then the engine writes it once. That each of
// these is needed, and enough, is proved in test/simulation (TestUpdates).
func TestFirstWrites(t *testing.T) {
	web, tls := entry("web", policy.HTTP, 80), entry("tls", policy.HTTPS, 443)
	upgraded := web
	upgraded.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: 443}
	a, b := policy.From{Namespace: "shop", WorkloadSelector: map[string]string{"app": "a"}}, policy.From{Namespace: "shop", WorkloadSelector: map[string]string{"app": "b"}}
	account := func(names ...string) policy.From { return policy.From{Namespace: "shop", ServiceAccounts: names} }
	for name, test := range map[string]struct {
		before, after policy.Policy
		want          []string
	}{
		"other labels":                      {rules(policy.Deny, a, web), rules(policy.Deny, b, web), nil},
		"other accounts":                    {rules(policy.Deny, account("x"), web), rules(policy.Deny, account("y"), web), nil},
		"an entry less":                     {rules(policy.Deny, a, web, tls), rules(policy.Deny, a, web), nil},
		"fewer labels, more accounts":       {rules(policy.Deny, account("x"), web), rules(policy.Deny, a, web), []string{"VirtualService once"}},
		"other labels, another way out":     {rules(policy.Deny, a, web), rules(policy.Deny, b, upgraded), []string{"VirtualService twice"}},
		"other accounts, another way out":   {rules(policy.Deny, account("x"), web), rules(policy.Deny, account("y"), upgraded), []string{"Gateway twice"}},
		"more accounts, another way out":    {rules(policy.Deny, account("x"), web), rules(policy.Deny, account("x", "y"), upgraded), nil},
		"a port less of a passable host":    {rules(policy.Direct, a, web, tls), rules(policy.Direct, a, web), []string{"ServiceEntry once"}},
		"a port for another of such a host": {rules(policy.Direct, a, web, tls), rules(policy.Direct, a, web, entry("tls", policy.HTTPS, 8443)), []string{"VirtualService twice", "ServiceEntry twice"}},
		"others denied":                     {rules(policy.Direct, a, web), rules(policy.Deny, a, web), nil},
		"others denied, other labels":       {rules(policy.Direct, a, web), rules(policy.Deny, b, web), []string{"ServiceEntry once"}},
	} {
		before, after := policy.Version{Policy: test.before}, policy.Version{Policy: test.after}
		before.Ports = assign(test.before)
		after.Ports = keep(before.Ports, test.after)
		first, objects, err := policy.Transition(before, after, defaultMesh)
		if err != nil {
			t.Fatal(err)
		}
		final := byID(objects)
		var got []string
		for _, o := range first {
			how := " twice"
			if manifest.Canonical(final[o.ID()].Body) == manifest.Canonical(o.Body) {
				how = " once"
			}
			got = append(got, o.Body.GetKind()+how)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: first %v, want %v", name, got, test.want)
		}
	}
}

func entry(name, protocol string, port int64) policy.To {
	return policy.To{Name: name, Hosts: []string{"h.example"}, Port: policy.Port{Name: name, Number: port, Protocol: protocol}}
}

func rules(unselected string, from policy.From, to ...policy.To) policy.Policy {
	p := policy.Policy{Name: "p", ByEgressGateway: &compile.Reference{Name: "east", Namespace: "egress"}}
	p.UnselectedWorkloads = unselected
	p.EgressRules = []policy.Rule{{From: []policy.From{from}, To: to}}
	return p
}
