package policy_test

import (
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// What looks like a conflict and is none.
func TestNoConflict(t *testing.T) {
	tests := []struct {
		name string
		edit func(p *policy.Policy)
	}{
		{"one host and port for disjoint selectors", func(p *policy.Policy) {
			api(p).Hosts, api(p).Port = web(p).Hosts, web(p).Port
		}},
		{"one host and port for two namespaces", func(p *policy.Policy) {
			p.EgressRules[1].From = []policy.From{{Namespace: "other", WorkloadSelector: map[string]string{}}}
			api(p).Hosts, api(p).Port = web(p).Hosts, web(p).Port
		}},
		{"overlapping selectors in one entry", func(p *policy.Policy) {
			p.EgressRules[0].From = append(p.EgressRules[0].From, policy.From{Namespace: "shop", WorkloadSelector: map[string]string{}})
		}},
		{"one host on two ports", func(p *policy.Policy) {
			p.EgressRules[1].From = p.EgressRules[0].From
			api(p).Hosts = web(p).Hosts
		}},
		{"upgrade and HTTPS to one host", func(p *policy.Policy) {
			api(p).Hosts, web(p).HTTPSUpgrade = web(p).Hosts, upgrade(443)
		}},
		{"two HTTP entries on one gateway port", func(p *policy.Policy) {
			api(p).Port = web(p).Port
			web(p).ByEgressGateway, api(p).ByEgressGateway = gatewayPort(80), gatewayPort(80)
		}},
		{"TCP and TLS on one gateway port", func(p *policy.Policy) {
			web(p).Hosts, web(p).Port = []string{"1.1.1.1"}, tcp(5432)
			web(p).ByEgressGateway, api(p).ByEgressGateway = gatewayPort(12000), gatewayPort(12000)
		}},
		{"upgrade off on HTTPS", func(p *policy.Policy) { api(p).HTTPSUpgrade = &policy.HTTPSUpgrade{} }},
		{"insecure with a server name", tlsEdit(policy.TLS{Mode: policy.Simple, SNI: ptr("a.example"), InsecureSkipVerify: ptr(true)})},
		{"CA from a ConfigMap", tlsEdit(policy.TLS{Mode: policy.Simple, CredentialName: ptr("configmap://ca")})},
		{"status codes in retry_on", func(p *policy.Policy) {
			web(p).Retries = &policy.Retries{Attempts: 3, RetryOn: ptr("gateway-error,429"), PerTryTimeout: ptr("1.5s")}
		}},
		{"authorization none without mutual TLS", func(p *policy.Policy) {
			p.ByEgressGateway.Authorization, p.ByEgressGateway.MutualTLS = ptr("none"), ptr(false)
		}},
		{"direct", direct},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := valid()
			tt.edit(&p)
			for _, problem := range policy.Validate(p, defaultMesh) {
				t.Errorf("%s: %s: %s", compile.PathText(problem.Path), problem.Summary, problem.Detail)
			}
		})
	}
}

func TestHostOfAWildcardWithAnEntryOfItsOwn(t *testing.T) {
	wildcard := func(p *policy.Policy) {
		web(p).Hosts, web(p).ResolveTo = []string{"*.w.example"}, ptr("front.example")
		api(p).Hosts, api(p).Port = []string{"b.example", "a.w.example"}, web(p).Port
	}
	tests := []struct {
		name  string
		edit  func(p *policy.Policy)
		warns bool
	}{
		{"other workloads", func(*policy.Policy) {}, true},
		{"some of the workloads", func(p *policy.Policy) {
			p.EgressRules[1].From[0].WorkloadSelector = map[string]string{"app": "a", "version": "v2"}
		}, true},
		{"other workloads, by a narrower wildcard", func(p *policy.Policy) {
			api(p).Hosts, api(p).ResolveTo = []string{"*.a.w.example"}, ptr("front.example")
		}, true},
		{"all workloads", func(p *policy.Policy) {
			p.EgressRules[1].From = []policy.From{{Namespace: "shop", WorkloadSelector: map[string]string{}}}
		}, false},
		{"the same workloads", func(p *policy.Policy) { p.EgressRules[1].From = p.EgressRules[0].From }, false},
		{"another namespace", func(p *policy.Policy) { p.EgressRules[1].From[0].Namespace = "billing" }, false},
		{"another port", func(p *policy.Policy) { api(p).Port.Number = 8080 }, false},
		{"another host", func(p *policy.Policy) { api(p).Hosts = []string{"a.example", "w.example"} }, false},
		{"server names", func(p *policy.Policy) {
			web(p).Port, api(p).Port = policy.Port{Name: "s", Number: 443, Protocol: policy.HTTPS}, policy.Port{Name: "s", Number: 443, Protocol: policy.HTTPS}
		}, false},
		{"server names beside requests", func(p *policy.Policy) { api(p).Port.Protocol = policy.TLSSNI }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := valid()
			wildcard(&p)
			tt.edit(&p)
			problems := policy.Validate(p, defaultMesh)
			if !tt.warns {
				for _, problem := range problems {
					t.Errorf("%s: %s: %s", compile.PathText(problem.Path), problem.Summary, problem.Detail)
				}
				return
			}
			if len(problems) != 1 || !problems[0].Warning || compile.PathText(problems[0].Path) != hosts0+"[0]" || !strings.Contains(problems[0].Detail, entry1) {
				t.Errorf("%v", problems)
			}
		})
	}
}

func TestTCPHostWithoutAddressesIsAWarning(t *testing.T) {
	p := valid()
	web(&p).Port = tcp(444)
	problems := policy.Validate(p, defaultMesh)
	if len(problems) != 1 || !problems[0].Warning || compile.PathText(problems[0].Path) != entry0+".addresses" {
		t.Errorf("%v", problems)
	}
	web(&p).Addresses = []string{"203.0.113.7", "203.0.113.16/28"}
	if problems := policy.Validate(p, defaultMesh); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}
