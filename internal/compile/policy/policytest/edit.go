package policytest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// edits are what people do to a policy. Each changes a copy of its own.
var edits = map[string]func(t *rapid.T, p *policy.Policy){
	"reorder": func(t *rapid.T, p *policy.Policy) { *p = Shuffled(t, *p) },
	"rename rule": func(t *rapid.T, p *policy.Policy) {
		someRule(t, p).Name = pointer(fmt.Sprintf("renamed-%d", rapid.IntRange(0, 9).Draw(t, "new name")))
	},
	"insert entry": func(t *rapid.T, p *policy.Policy) {
		rule := someRule(t, p)
		name := fmt.Sprintf("%c-added", rapid.RuneFrom([]rune("adgz")).Draw(t, "letter"))
		rule.To = slices.Insert(rule.To, 0, entry(t, name, p.ByEgressGateway == nil))
	},
	"insert rule": func(t *rapid.T, p *policy.Policy) {
		p.EgressRules = slices.Insert(p.EgressRules, 0, policy.Rule{
			From: []policy.From{source(t, false, p.ByEgressGateway == nil)},
			To:   []policy.To{entry(t, fmt.Sprintf("rule-added-%d", rapid.IntRange(0, 3).Draw(t, "new entry")), p.ByEgressGateway == nil)},
		})
	},
	"remove rule": func(t *rapid.T, p *policy.Policy) {
		at := rapid.IntRange(0, len(p.EgressRules)-1).Draw(t, "rule")
		p.EgressRules = slices.Delete(p.EgressRules, at, at+1)
	},
	"remove entry": func(t *rapid.T, p *policy.Policy) {
		rule := someRule(t, p)
		at := rapid.IntRange(0, len(rule.To)-1).Draw(t, "entry")
		rule.To = slices.Delete(rule.To, at, at+1)
	},
	"join rules": func(_ *rapid.T, p *policy.Policy) {
		last := p.EgressRules[len(p.EgressRules)-1]
		first := &p.EgressRules[0]
		if len(p.EgressRules) > 1 {
			first.To = append(first.To, last.To...)
			p.EgressRules = p.EgressRules[:len(p.EgressRules)-1]
		}
	},
	"add host": func(t *rapid.T, p *policy.Policy) {
		to := someEntry(t, p)
		to.Hosts = slices.Insert(to.Hosts, 0, fmt.Sprintf("%c.added.example", rapid.RuneFrom([]rune("abc")).Draw(t, "host")))
	},
	"remove host": func(t *rapid.T, p *policy.Policy) {
		to := someEntry(t, p)
		at := rapid.IntRange(0, len(to.Hosts)-1).Draw(t, "host")
		to.Hosts = slices.Delete(to.Hosts, at, at+1)
	},
	"edit gateway port": func(t *rapid.T, p *policy.Policy) {
		to := someEntry(t, p)
		to.ByEgressGateway = nil
		if port := rapid.SampledFrom([]int64{0, 80, 81, 443, 12000, 12001}).Draw(t, "gateway port"); port != 0 {
			to.ByEgressGateway = gatewayPort(port)
		}
	},
	"edit source": func(t *rapid.T, p *policy.Policy) {
		rule := someRule(t, p)
		named := len(rule.From[0].ServiceAccounts) > 0
		rule.From[rapid.IntRange(0, len(rule.From)-1).Draw(t, "source")] = source(t, named, p.ByEgressGateway == nil)
	},
	"add source": func(t *rapid.T, p *policy.Policy) {
		rule := someRule(t, p)
		rule.From = append(rule.From, source(t, len(rule.From[0].ServiceAccounts) > 0, p.ByEgressGateway == nil))
	},
	"let others out": func(_ *rapid.T, p *policy.Policy) {
		p.UnselectedWorkloads = map[string]string{policy.Deny: policy.Direct, policy.Direct: policy.Deny}[p.UnselectedWorkloads]
	},
}

// Edit returns the policy after one edit, or as it is if the edit would make
// it invalid.
func Edit(t *rapid.T, p policy.Policy) policy.Policy {
	names := []string{}
	for name := range edits {
		names = append(names, name)
	}
	slices.Sort(names)
	edited := clone(p)
	edits[rapid.SampledFrom(names).Draw(t, "edit")](t, &edited)
	if !IsValid(edited) {
		return p
	}
	return edited
}

// clone copies what edits change.
func clone(p policy.Policy) policy.Policy {
	p.EgressRules = slices.Clone(p.EgressRules)
	for i := range p.EgressRules {
		rule := &p.EgressRules[i]
		rule.From, rule.To = slices.Clone(rule.From), slices.Clone(rule.To)
		for j := range rule.To {
			rule.To[j].Hosts = slices.Clone(rule.To[j].Hosts)
		}
	}
	return p
}

func someRule(t *rapid.T, p *policy.Policy) *policy.Rule {
	return &p.EgressRules[rapid.IntRange(0, len(p.EgressRules)-1).Draw(t, "rule")]
}

func someEntry(t *rapid.T, p *policy.Policy) *policy.To {
	rule := someRule(t, p)
	return &rule.To[rapid.IntRange(0, len(rule.To)-1).Draw(t, "entry")]
}
