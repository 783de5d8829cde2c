package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

func TestGrants(t *testing.T) {
	tests := []struct {
		name string
		edit func(p *policy.Policy)
		want string
	}{
		{"upgraded, with a service account", func(p *policy.Policy) {
			p.EgressRules[0].From[0].ServiceAccounts = []string{"sleep-a"}
			web(p).HTTPSUpgrade = upgrade(443)
		}, "shop/app=a (sa sleep-a) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/gw"},
		{"any service account", func(*policy.Policy) {}, "shop/app=a (any service account) -> httpbin.org:80 HTTP, via istio-egress/gw"},
		{"labels in the order of their keys, accounts in theirs", func(p *policy.Policy) {
			p.EgressRules[0].From[0].WorkloadSelector = map[string]string{"b": "2", "a": "1"}
			p.EgressRules[0].From[0].ServiceAccounts = []string{"y", "x"}
		}, "shop/a=1,b=2 (sa x, sa y) -> httpbin.org:80 HTTP, via istio-egress/gw"},
		{"no labels", func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = nil }, "shop/* (any service account) -> httpbin.org:80 HTTP, via istio-egress/gw"},
		{"without mutual TLS", func(p *policy.Policy) { p.ByEgressGateway.MutualTLS = ptr(false) }, "shop/app=a (any service account, namespace not checked) -> httpbin.org:80 HTTP, via istio-egress/gw"},
		{"without authorization", func(p *policy.Policy) { p.ByEgressGateway.Authorization = ptr("none") }, "shop/app=a (any service account, namespace not checked) -> httpbin.org:80 HTTP, via istio-egress/gw"},
		{"an IPv6 address", func(p *policy.Policy) {
			web(p).Hosts, web(p).Port = []string{"2001:db8::1"}, tcp(5432)
		}, "shop/app=a (any service account) -> [2001:db8::1]:5432 TCP, via istio-egress/gw"},
		{"direct", direct, "shop/* -> httpbin.org:80 HTTP, direct"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := valid()
			tt.edit(&p)
			p.EgressRules = p.EgressRules[:1]
			if diff := cmp.Diff([]string{tt.want}, policy.Grants(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What selected workloads may do through the gateway, and others past it.
func TestGrantsOfUnselectedWorkloads(t *testing.T) {
	p := valid()
	p.UnselectedWorkloads = policy.Direct
	p.EgressRules = p.EgressRules[:1]
	want := []string{
		"shop/* -> httpbin.org:80 HTTP, direct",
		"shop/app=a (any service account) -> httpbin.org:80 HTTP, via istio-egress/gw",
	}
	if diff := cmp.Diff(want, policy.Grants(p)); diff != "" {
		t.Error(diff)
	}
}
