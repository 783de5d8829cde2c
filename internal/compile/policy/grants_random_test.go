package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
)

// caller is a workload, service what it dials.
type caller struct{ namespace, app, account string }

type service struct {
	host string
	port int64
}

// universe are callers of every kind that random policies tell apart, and a
// few of which they know nothing.
func universe() []caller {
	var all []caller
	for _, namespace := range []string{"shop", "billing", "default", "elsewhere"} {
		for _, app := range []string{"a", "b", "z"} {
			for _, account := range []string{"a", "b", "c", "z"} {
				all = append(all, caller{namespace, app, account})
			}
		}
	}
	return all
}

// outcomes says of each caller and each service that the policy names how the
// caller gets there, from the configuration alone; who does not is left out.
func outcomes(p policy.Policy) map[caller]map[service]string {
	all := map[caller]map[service]string{}
	for _, c := range universe() {
		all[c] = map[service]string{}
		for _, rule := range p.EgressRules {
			for _, to := range rule.To {
				for _, host := range to.Hosts {
					at := service{host, to.Port.Number}
					if way := outcome(p, rule, to, c); way != "" {
						all[c][at] = way
					} else if _, ok := all[c][at]; !ok && p.UnselectedWorkloads == policy.Direct && inNamespace(rule, c) {
						all[c][at] = "direct"
					}
				}
			}
		}
	}
	return all
}

func inNamespace(rule policy.Rule, c caller) bool {
	return slices.ContainsFunc(rule.From, func(from policy.From) bool { return from.Namespace == c.namespace })
}

// outcome is how a rule lets a caller reach an entry: labels route to the
// gateway, and service accounts of the namespace admit there.
func outcome(p policy.Policy, rule policy.Rule, to policy.To, c caller) string {
	var routed, checked, admitted bool
	for _, from := range rule.From {
		if from.Namespace == c.namespace {
			app, selects := from.WorkloadSelector["app"]
			routed = routed || !selects || app == c.app
			admitted = admitted || slices.Contains(from.ServiceAccounts, c.account)
		}
		checked = checked || len(from.ServiceAccounts) > 0
	}
	switch {
	case p.ByEgressGateway == nil && routed:
		return "direct"
	case !routed:
		return ""
	case checked && !admitted:
		return "refused"
	case to.HTTPSUpgrade != nil && to.HTTPSUpgrade.Enabled:
		return fmt.Sprintf("gateway, TLS to %d", to.HTTPSUpgrade.Port)
	}
	return "gateway"
}

// A policy is edited at random: who gets somewhere where he did not get at all
// is in a line that is added, about his namespace and that service, whatever
// else the edit moves about; and no other change is without any line. (Where
// others may go directly, a workload that is no longer selected is one of
// them: then the line that is removed says so.)
func TestGrantsHideNoChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		edited := p
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			edited = policytest.Edit(t, edited)
		}
		added, removed := difference(policy.Grants(p), policy.Grants(edited))
		before, after := outcomes(p), outcomes(edited)
		for _, c := range universe() {
			for _, at := range services(p, edited) {
				was, is := before[c][at], after[c][at]
				if was == is {
					continue
				}
				if about(added, c, at) || was != "" && about(removed, c, at) {
					continue
				}
				t.Fatalf("%v: %v was %q and is %q; added %v, removed %v", c, at, was, is, added, removed)
			}
		}
	})
}

// The lines are the sources times the services of the configuration: no more,
// and none that says two of them.
func TestGrantsAreSourcesTimesServices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		lines := map[string]bool{}
		for _, rule := range p.EgressRules {
			for _, from := range rule.From {
				for _, to := range rule.To {
					for _, host := range to.Hosts {
						tuple := fmt.Sprint(from.Namespace, from.WorkloadSelector, slices.Sorted(slices.Values(from.ServiceAccounts)), host, to.Port.Number, to.Port.Protocol, to.HTTPSUpgrade != nil && to.HTTPSUpgrade.Enabled)
						lines[tuple] = true
						if p.UnselectedWorkloads == policy.Direct {
							lines[fmt.Sprint("others", from.Namespace, host, to.Port.Number, to.Port.Protocol)] = true
						}
					}
				}
			}
		}
		grants := policy.Grants(p)
		if len(grants) != len(lines) || !slices.IsSorted(grants) {
			t.Fatalf("%d lines for %v:\n%s", len(grants), slices.Sorted(maps.Keys(lines)), strings.Join(grants, "\n"))
		}
	})
}

func difference(before, after []string) (added, removed []string) {
	for _, line := range after {
		if !slices.Contains(before, line) {
			added = append(added, line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			removed = append(removed, line)
		}
	}
	return added, removed
}

// about reports whether a line is about a caller's namespace and a service.
func about(lines []string, c caller, at service) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		host := at.host
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return strings.HasPrefix(line, c.namespace+"/") && strings.Contains(line, fmt.Sprintf(" -> %s:%d ", host, at.port))
	})
}

// services returns what the policies name.
func services(all ...policy.Policy) []service {
	found := map[service]bool{}
	for _, p := range all {
		for _, rule := range p.EgressRules {
			for _, to := range rule.To {
				for _, host := range to.Hosts {
					found[service{host, to.Port.Number}] = true
				}
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}
