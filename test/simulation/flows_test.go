package simulation

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

var (
	eastAccount = "east"
	east        = compile.Reference{Name: "east", Namespace: "egress", ServiceAccount: &eastAccount}
)

// base is the mesh of the flows.
func base(policies ...policy.Policy) scenario.Scenario {
	return scenario.Scenario{
		Settings: scenario.Settings{TrustDomain: "cluster.local"},
		Names:    map[string]string{"db.example": "203.0.113.7"},
		Gateways: []compile.Reference{east},
		Workloads: []scenario.Workload{
			{Name: "a", Namespace: "shop", Labels: map[string]string{"app": "a"}, ServiceAccount: "a"},
			{Name: "a2", Namespace: "shop", Labels: map[string]string{"app": "a"}, ServiceAccount: "other"},
			{Name: "b", Namespace: "shop", Labels: map[string]string{"app": "b"}, ServiceAccount: "b"},
			{Name: "x", Namespace: "bank", Labels: map[string]string{"app": "a"}, ServiceAccount: "a"},
			{Name: "y", Namespace: "bank", Labels: map[string]string{"app": "b"}, ServiceAccount: "a"},
		},
		Policies: policies,
	}
}

func by(name string, from []policy.From, to ...policy.To) policy.Policy {
	return policy.Policy{Name: name, ByEgressGateway: &east, UnselectedWorkloads: "deny", EgressRules: []policy.Rule{{From: from, To: to}}}
}

func from(namespace, app string, accounts ...string) policy.From {
	f := policy.From{Namespace: namespace, WorkloadSelector: map[string]string{}, ServiceAccounts: accounts}
	if app != "" {
		f.WorkloadSelector = map[string]string{"app": app}
	}
	return f
}

func to(name, protocol string, number int64, hosts ...string) policy.To {
	return policy.To{Name: name, Hosts: hosts, Port: policy.Port{Name: name, Number: number, Protocol: protocol}}
}

func upgraded(t policy.To, port int64) policy.To {
	t.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: port}
	return t
}

func at(t policy.To, port int64) policy.To {
	t.ByEgressGateway = &policy.EntryGateway{Port: port}
	return t
}

func addressed(t policy.To, addresses ...string) policy.To {
	t.Addresses = addresses
	return t
}

var flows = map[string][]policy.Policy{
	"HTTP":               {by("p", []policy.From{from("shop", "a", "a")}, to("web", "HTTP", 80, "h1.example", "h2.example"))},
	"https_upgrade":      {by("p", []policy.From{from("shop", "a", "a")}, upgraded(at(to("web", "HTTP", 80, "h1.example"), 80), 443))},
	"HTTPS":              {by("p", []policy.From{from("shop", "a", "a")}, to("web", "HTTPS", 443, "h1.example", "h2.example"))},
	"HTTPS on one port":  {by("p", []policy.From{from("shop", "a", "a")}, at(to("web", "HTTPS", 443, "h1.example", "h2.example"), 444))},
	"TCP by address":     {by("p", []policy.From{from("shop", "a", "a")}, to("db", "TCP", 5432, "203.0.113.7"))},
	"TCP with addresses": {by("p", []policy.From{from("shop", "a", "a")}, addressed(to("db", "TCP", 5432, "db.example"), "203.0.113.7", "203.0.113.8"))},
	"two policies share a host": {
		by("p", []policy.From{from("shop", "a", "a")}, to("web", "HTTP", 80, "h1.example")),
		by("q", []policy.From{from("shop", "b", "b")}, upgraded(to("web", "HTTP", 80, "h1.example"), 443)),
		by("r", []policy.From{from("bank", "")}, to("web", "HTTP", 80, "h1.example"), to("tls", "HTTPS", 443, "h1.example")),
	},
}

func TestFlows(t *testing.T) {
	for name, policies := range flows {
		for _, mode := range []bool{false, true} {
			s := base(policies...)
			s.RegistryOnly = mode
			title := name + ", ALLOW_ANY"
			if mode {
				title = name + ", REGISTRY_ONLY"
			}
			t.Run(title, func(t *testing.T) {
				compiled, err := compilePolicies(s, nil)
				if err != nil {
					t.Fatal(err)
				}
				r := check(t, s.Settings, []state{{kind: settledKind, before: s, after: s, objects: compiled.settled(s).objects()}})
				for _, m := range r.mismatches {
					t.Errorf("%s", m)
				}
				t.Logf("%v", r.calls)
			})
		}
	}
}
