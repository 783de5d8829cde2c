package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
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
		{"direct, to addresses", func(p *policy.Policy) {
			direct(p)
			web(p).Port, web(p).Addresses = tcp(5432), []string{"203.0.113.8", "203.0.113.0/30"}
		}, "shop/* -> httpbin.org:5432 TCP at 203.0.113.0/30 or 203.0.113.8, direct"},
		{"direct, to another host", func(p *policy.Policy) {
			direct(p)
			web(p).Hosts, web(p).ResolveTo = []string{"*.org"}, ptr("httpbin.org")
		}, "shop/* -> *.org:80 HTTP, resolved to httpbin.org, direct"},
		{"to another host", func(p *policy.Policy) {
			web(p).Hosts, web(p).ResolveTo = []string{"*.org"}, ptr("httpbin.org")
		}, "shop/app=a (any service account) -> *.org:80 HTTP, resolved to httpbin.org, via istio-egress/gw"},
		{"certificate not checked", func(p *policy.Policy) {
			web(p).HTTPSUpgrade, web(p).TLS = upgrade(8443), &policy.TLS{Mode: policy.Simple, InsecureSkipVerify: ptr(true)}
		}, "shop/app=a (any service account) -> httpbin.org:80 HTTP, upgraded to 8443 without checking its certificate, via istio-egress/gw"},
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

// Every line says all of its grant, and two grants have two lines.
func TestParseGrantReadsWhatGrantsWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, want := range policy.EntryGrants(policytest.Policy(t)) {
			got, err := policy.ParseGrant(want.Line)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Grant, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s: %s", want.Line, diff)
			}
		}
	})
}

func TestParseGrantRefusesWhatIsNoLine(t *testing.T) {
	valid := "shop/app=a (sa x, sa y) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/gw"
	if _, err := policy.ParseGrant(valid); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"", "shop", "shop -> httpbin.org:80 HTTP, direct", "shop/app -> httpbin.org:80 HTTP, direct",
		"shop/* -> httpbin.org HTTP, direct", "shop/* -> httpbin.org:x HTTP, direct", "shop/* -> httpbin.org:80 HTTP",
		strings.Replace(valid, "sa x, sa y", "sa y, sa x", 1), strings.Replace(valid, "443", "443x", 1),
		strings.Replace(valid, "(sa x, sa y) ", "", 1), valid + ", direct", valid + " ",
	} {
		if g, err := policy.ParseGrant(line); err == nil {
			t.Errorf("%q is read as %+v", line, g)
		}
	}
}

func FuzzParseGrant(f *testing.F) {
	f.Add("shop/app=a (sa x, sa y) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/gw")
	f.Add("shop/* -> [2001:db8::1]:5432 TCP at 2001:db8::/64 or 203.0.113.8, direct")
	f.Add("shop/* (any service account, namespace not checked) -> *.org:80 HTTP, resolved to httpbin.org, via istio-egress/gw")
	f.Fuzz(func(t *testing.T, line string) {
		if g, err := policy.ParseGrant(line); err == nil && g.String() != line {
			t.Errorf("%q is read as %+v", line, g)
		}
	})
}
