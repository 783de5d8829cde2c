package conflict_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// randomPolicy draws a valid policy out of few hosts, namespaces, labels and
// ports, so that two of them often meet. Entries that would make it invalid
// are left out again.
func randomPolicy(t *rapid.T, name string) policy.Policy {
	p := policy.Policy{
		Name:                name,
		UnselectedWorkloads: rapid.SampledFrom([]string{policy.Deny, policy.Deny, policy.Direct}).Draw(t, "unselected"),
		Revision:            rapid.SampledFrom([]*string{nil, nil, nil, nil, ptr("canary")}).Draw(t, "revision"),
	}
	isDirect := rapid.IntRange(0, 9).Draw(t, "direct") == 0
	if isDirect {
		p.UnselectedWorkloads = policy.Deny
	} else {
		p.ByEgressGateway = &compile.Reference{
			Name:      rapid.SampledFrom([]string{"gw", "gw", "gw2"}).Draw(t, "gateway"),
			Namespace: rapid.SampledFrom([]string{"istio-egress", "istio-egress", "other-egress"}).Draw(t, "gateway namespace"),
			MutualTLS: rapid.SampledFrom([]*bool{nil, nil, ptr(false)}).Draw(t, "mutual TLS"),
		}
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
		var rule policy.Rule
		for range rapid.IntRange(1, 2).Draw(t, "sources") {
			from := policy.From{Namespace: rapid.SampledFrom([]string{"shop", "billing"}).Draw(t, "namespace"), WorkloadSelector: map[string]string{}}
			if !isDirect {
				from.WorkloadSelector = rapid.SampledFrom([]map[string]string{{}, {"app": "a"}, {"app": "b"}, {"tier": "x"}}).Draw(t, "labels")
			}
			rule.From = append(rule.From, from)
		}
		for j := range rapid.IntRange(1, 2).Draw(t, "entries") {
			to := randomEntry(t, fmt.Sprintf("entry-%d-%d", i, j), isDirect)
			with := p
			with.EgressRules = append(slices.Clone(p.EgressRules), policy.Rule{From: rule.From, To: append(slices.Clone(rule.To), to)})
			if isValid(with) {
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

func randomEntry(t *rapid.T, name string, isDirect bool) policy.To {
	to := policy.To{Name: name}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0, 1:
		to.Port = policy.Port{Name: "p", Number: rapid.SampledFrom([]int64{80, 8080}).Draw(t, "port"), Protocol: rapid.SampledFrom([]string{policy.HTTP, policy.HTTP, policy.GRPC}).Draw(t, "protocol")}
		to.Hosts = randomHosts(t, "a.w.example", "b.example", "c.example")
		if !isDirect && rapid.Bool().Draw(t, "upgraded") {
			to.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: 443}
		}
	case 2:
		to.Port = policy.Port{Name: "p", Number: 443, Protocol: policy.HTTPS}
		to.Hosts = randomHosts(t, "a.w.example", "b.example", "c.example")
	case 3:
		to.Port = policy.Port{Name: "p", Number: rapid.SampledFrom([]int64{5432, 5433}).Draw(t, "port"), Protocol: policy.TCP}
		to.Hosts = randomHosts(t, "b.example", "d.example", "203.0.113.7")
	case 4:
		to.Port = policy.Port{Name: "p", Number: 5432, Protocol: policy.TCP}
		to.Hosts = []string{rapid.SampledFrom([]string{"b.example", "d.example"}).Draw(t, "host")}
		to.Addresses = []string{rapid.SampledFrom([]string{"203.0.113.7", "203.0.113.8"}).Draw(t, "address")}
	default:
		to.Port = rapid.SampledFrom([]policy.Port{{Name: "p", Number: 80, Protocol: policy.HTTP}, {Name: "p", Number: 443, Protocol: policy.HTTPS}}).Draw(t, "port")
		to.Hosts = []string{"*.w.example"}
		to.ResolveTo = ptr("front.example")
	}
	if !isDirect && rapid.IntRange(0, 2).Draw(t, "explicit") == 0 {
		to.ByEgressGateway = &policy.EntryGateway{Port: rapid.SampledFrom([]int64{444, 12000, 12001}).Draw(t, "gateway port")}
	}
	return to
}

func randomHosts(t *rapid.T, from ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 2, rapid.ID).Draw(t, "hosts")
}

func isValid(p policy.Policy) bool {
	return !slices.ContainsFunc(policy.Validate(p, defaultMesh), func(problem compile.Problem) bool { return !problem.Warning })
}

func ptr[T any](v T) *T { return &v }
