// Package policytest draws policies at random, for property tests.
package policytest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Mesh is the mesh that the policies are valid in: what an empty provider
// block gives.
var Mesh = compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}

// Policy draws a valid policy: entries that would make it invalid are left out
// again.
func Policy(t *rapid.T) policy.Policy {
	p := policy.Policy{
		Name:                rapid.SampledFrom([]string{"payments", "p"}).Draw(t, "name"),
		UnselectedWorkloads: rapid.SampledFrom([]string{policy.Deny, policy.Direct}).Draw(t, "unselected"),
		Revision:            maybe(t, "revision", "1-31"),
	}
	isDirect := rapid.IntRange(0, 9).Draw(t, "direct") == 0
	if isDirect {
		p.UnselectedWorkloads = policy.Deny
	} else {
		p.ByEgressGateway = reference(t)
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		rule := policy.Rule{Name: maybe(t, "rule name", fmt.Sprintf("rule-%d", i))}
		named := !isDirect && p.ByEgressGateway.UsesMutualTLS() && rapid.Bool().Draw(t, "service accounts")
		for range rapid.IntRange(1, 3).Draw(t, "sources") {
			rule.From = append(rule.From, source(t, named, isDirect))
		}
		for j := range rapid.IntRange(1, 3).Draw(t, "entries") {
			to := entry(t, fmt.Sprintf("entry-%d-%d", i, j), isDirect)
			with := p
			with.EgressRules = append(slices.Clone(p.EgressRules), policy.Rule{
				Name: rule.Name, From: rule.From, To: append(slices.Clone(rule.To), to),
			})
			if IsValid(with) {
				rule.To = append(rule.To, to)
			}
		}
		if len(rule.To) > 0 {
			p.EgressRules = append(p.EgressRules, rule)
		}
	}
	if len(p.EgressRules) == 0 {
		t.Skip("no entry is valid")
	}
	return p
}

// IsValid reports whether a policy has no error.
func IsValid(p policy.Policy) bool {
	return !slices.ContainsFunc(policy.Validate(p, Mesh), func(problem compile.Problem) bool { return !problem.Warning })
}

func reference(t *rapid.T) *compile.Reference {
	ref := &compile.Reference{Name: "gw", Namespace: "istio-egress", Revision: maybe(t, "gateway revision", "canary"),
		ServiceAccount: maybe(t, "gateway service account", "gw")}
	switch rapid.IntRange(0, 4).Draw(t, "gateway") {
	case 0:
		ref.MutualTLS = pointer(false)
	case 1:
		ref.Authorization = pointer("none")
	case 2:
		ref.Selector = map[string]string{"app": "gw"}
	}
	return ref
}

func source(t *rapid.T, named, isDirect bool) policy.From {
	from := policy.From{Namespace: rapid.SampledFrom([]string{"shop", "billing", "default"}).Draw(t, "namespace")}
	if named {
		from.ServiceAccounts = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID).Draw(t, "accounts")
	}
	switch {
	case !isDirect && rapid.Bool().Draw(t, "selected"):
		from.WorkloadSelector = map[string]string{"app": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "app")}
	case !named || rapid.Bool().Draw(t, "said"):
		from.WorkloadSelector = map[string]string{}
	}
	return from
}

func entry(t *rapid.T, name string, isDirect bool) policy.To {
	protocol := rapid.SampledFrom(policy.Protocols()).Draw(t, "protocol")
	number := map[string]int64{policy.HTTP: 80, policy.HTTPS: 443, policy.TLSSNI: 8443, policy.HTTP2: 8080, policy.GRPC: 9090, policy.TCP: 5432}[protocol]
	to := policy.To{Name: name, Port: policy.Port{Name: "port", Number: number, Protocol: protocol}}
	hosts := []string{"a.example", "b.example", "c.d-e.example", "c-d.e.example"}
	if protocol == policy.TCP {
		hosts = append(hosts, "203.0.113.7", "2001:db8::7")
	}
	to.Hosts = rapid.SliceOfNDistinct(rapid.SampledFrom(hosts), 1, 3, rapid.ID).Draw(t, "hosts")
	if protocol == policy.TCP && len(to.Hosts) == 1 && rapid.Bool().Draw(t, "addressed") {
		to.Addresses = []string{"198.51.100.0/28"}
	}
	if isDirect {
		return to
	}
	if rapid.Bool().Draw(t, "explicit") {
		to.ByEgressGateway = gatewayPort(rapid.SampledFrom([]int64{80, 443, 12000, 12001}).Draw(t, "port"))
	}
	if protocol == policy.HTTP && rapid.Bool().Draw(t, "upgrade") {
		to.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: rapid.Bool().Draw(t, "enabled"), Port: 443}
		to.Timeout = maybe(t, "timeout", "10s")
		refine(t, &to)
	}
	return to
}

// refine draws what only few entries have.
func refine(t *rapid.T, to *policy.To) {
	if rapid.Bool().Draw(t, "retried") {
		to.Retries = &policy.Retries{Attempts: 2, PerTryTimeout: maybe(t, "per try", "2s"), RetryOn: maybe(t, "retry on", "5xx")}
	}
	if to.HTTPSUpgrade.Enabled && rapid.Bool().Draw(t, "tls") {
		to.TLS = &policy.TLS{Mode: policy.Simple, CredentialName: maybe(t, "credential", "partner")}
		if rapid.Bool().Draw(t, "server name") {
			to.TLS.SNI, to.TLS.SubjectAltNames = pointer("a.example"), []string{"a.example"}
		}
	}
	if rapid.Bool().Draw(t, "wildcard") {
		to.Hosts, to.ResolveTo = []string{"*.wild.example"}, pointer("www.wild.example")
	}
}

func maybe(t *rapid.T, label, value string) *string {
	if rapid.Bool().Draw(t, label) {
		return &value
	}
	return nil
}

// Shuffled returns the policy with its rules, sources, entries, hosts and
// accounts in another order.
func Shuffled(t *rapid.T, p policy.Policy) policy.Policy {
	p.EgressRules = rapid.Permutation(p.EgressRules).Draw(t, "rules")
	p.EgressRules = slices.Clone(p.EgressRules)
	for i, rule := range p.EgressRules {
		rule.From = slices.Clone(rapid.Permutation(rule.From).Draw(t, "sources"))
		for j := range rule.From {
			rule.From[j].ServiceAccounts = rapid.Permutation(rule.From[j].ServiceAccounts).Draw(t, "accounts")
		}
		rule.To = slices.Clone(rapid.Permutation(rule.To).Draw(t, "entries"))
		for j := range rule.To {
			rule.To[j].Hosts = rapid.Permutation(rule.To[j].Hosts).Draw(t, "hosts")
		}
		p.EgressRules[i] = rule
	}
	return p
}

func pointer[T any](v T) *T { return &v }

func gatewayPort(port int64) *policy.EntryGateway { return &policy.EntryGateway{Port: port} }
