package generate

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Edited is a new version of the policy with this index.
type Edited struct {
	Index  int
	Policy policy.Policy
	OK     bool
}

// Edit draws another version of one policy of a scenario, such that all are
// valid together again; false if none was found.
func Edit(s scenario.Scenario, tally *Tally) *rapid.Generator[Edited] {
	return rapid.Custom(func(t *rapid.T) Edited {
		i := rapid.IntRange(0, len(s.Policies)-1).Draw(t, "edited")
		others := s
		others.Policies = slices.Delete(slices.Clone(s.Policies), i, i+1)
		d := drawer{t: t, settings: s.Settings, live: Live(s.Settings, others.Policies), tally: tally}
		next, ok := d.edited(others, s.Policies[i])
		return Edited{Index: i, Policy: next, OK: ok}
	})
}

// edited changes a policy in one to four ways at once: parts of one decision
// that change together are what an update has to order.
func (d drawer) edited(s scenario.Scenario, p policy.Policy) (policy.Policy, bool) {
	for range tries {
		next, changed := p, false
		for range rapid.IntRange(1, 4).Draw(d.t, "edits") {
			if grown, ok := d.edit(s, next); ok {
				next, changed = grown, true
			}
		}
		if changed && d.fits(next, next) {
			return next, true
		}
	}
	return p, false
}

// edit changes a policy in one way.
func (d drawer) edit(s scenario.Scenario, p policy.Policy) (policy.Policy, bool) {
	next := p
	next.EgressRules = slices.Clone(p.EgressRules)
	r := rapid.IntRange(0, len(p.EgressRules)-1).Draw(d.t, "rule")
	rule := next.EgressRules[r]
	rule.To = slices.Clone(rule.To)
	e := rapid.IntRange(0, len(rule.To)-1).Draw(d.t, "entry")
	switch rapid.IntRange(0, 12).Draw(d.t, "edit") {
	case 0, 1: // other sources
		rule.From = d.sources(p.ByEgressGateway)
	case 2: // other service accounts of the same labels
		if p.ByEgressGateway == nil || !p.ByEgressGateway.UsesMutualTLS() {
			return p, false
		}
		rule.From = slices.Clone(rule.From)
		none := d.chance("none", 3)
		for f := range rule.From {
			rule.From[f].ServiceAccounts = nil
			if !none {
				rule.From[f].ServiceAccounts = d.accounts()
			}
		}
	case 3: // another entry of the same name
		rule.To[e] = d.entry(s, p, rule.To[e].Name)
	case 4: // one more entry
		rule.To = append(rule.To, d.entry(s, p, "extra"))
	case 5: // one less
		if len(rule.To) == 1 {
			return p, false
		}
		rule.To = slices.Delete(rule.To, e, e+1)
	case 6: // upgraded or not, or to another port
		if rule.To[e].HTTPSUpgrade != nil && d.chance("not", 2) {
			rule.To[e].HTTPSUpgrade, rule.To[e].TLS = nil, nil
		} else {
			rule.To[e].HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: pick(d, "upgrade", upgradePorts)}
			rule.To[e].TLS = d.tls()
		}
	case 7: // another gateway of the namespace
		ref := pick(d, "gateway", s.Gateways)
		if p.ByEgressGateway == nil || ref.Namespace != p.ByEgressGateway.Namespace {
			return p, false
		}
		next.ByEgressGateway = &ref
	case 8: // another port on the gateway
		if p.ByEgressGateway == nil {
			return p, false
		}
		rule.To[e].ByEgressGateway = d.explicit()
	case 9: // other hosts
		drawn := d.entry(s, p, "x")
		if drawn.Port.Protocol != rule.To[e].Port.Protocol {
			return p, false
		}
		rule.To[e].Hosts, rule.To[e].Addresses, rule.To[e].ResolveTo = drawn.Hosts, drawn.Addresses, drawn.ResolveTo
	case 10: // what is for everybody else
		if p.ByEgressGateway == nil {
			return p, false
		}
		next.UnselectedWorkloads = policy.Deny
		if p.UnselectedWorkloads == policy.Deny {
			next.UnselectedWorkloads = policy.Direct
		}
	case 11: // two entries change places: of their names, their sources or their ports on the gateway
		o := rapid.IntRange(0, len(p.EgressRules)-1).Draw(d.t, "other rule")
		other := next.EgressRules[o]
		other.To = slices.Clone(other.To)
		f := rapid.IntRange(0, len(other.To)-1).Draw(d.t, "other entry")
		if o == r {
			other.To = rule.To
		}
		a, b := &rule.To[e], &other.To[f]
		switch rapid.IntRange(0, 2).Draw(d.t, "what") {
		case 0:
			a.Name, b.Name = b.Name, a.Name
		case 1:
			a.ByEgressGateway, b.ByEgressGateway = b.ByEgressGateway, a.ByEgressGateway
		default:
			rule.From, other.From = other.From, rule.From
		}
		if o != r {
			next.EgressRules[o] = other
		}
	case 12: // another name
		rule.To[e].Name += "-x"
	}
	next.EgressRules[r] = rule
	return next, true
}
