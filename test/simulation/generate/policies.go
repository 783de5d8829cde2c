// Package generate draws meshes, policies and calls at random.
package generate

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// What the meshes are made of: little, so that policies meet in namespaces,
// labels, service accounts, hosts and ports.
var (
	namespaces = []string{"shop", "bank", "lab"}
	selectors  = []map[string]string{
		{}, {"app": "a"}, {"app": "b"}, {"tier": "x"}, {"app": "a", "tier": "x"},
	}
	accounts = []string{"alpha", "beta", "default"}
	webHosts = []string{"h1.example", "www.h1.example", "h-2.example", "api.h3.example"}
	dbHosts  = []string{"db.example", "mq.example", "h1.example"}
	dbIPs    = []string{"203.0.113.5", "203.0.113.6"}
	// addressed are hosts that policies say the addresses of, always the same.
	addressed = map[string][]string{"db1.example": {"198.51.100.1"}, "db2.example": {"198.51.100.2", "198.51.100.3"}}

	httpPorts     = []int64{80, 80, 80, 8080}
	upgradePorts  = []int64{443, 443, 8443}
	tlsPorts      = []int64{443, 443, 8443}
	tcpPorts      = []int64{5432, 5432, 44}
	explicitPorts = []int64{80, 443, 444, 1024, 12000, 12001}

	policyNames = []string{"payments", "p-1", "reports", "a-policy-with-a-name-that-takes-nearly-all-of-a-label-12345"}
)

// workloads of every mesh, in each of its namespaces.
func workloads() []scenario.Workload {
	var all []scenario.Workload
	for _, ns := range namespaces[:2] {
		all = append(all,
			scenario.Workload{Name: "ax", Namespace: ns, Labels: map[string]string{"app": "a", "tier": "x"}, ServiceAccount: "alpha"},
			scenario.Workload{Name: "ay", Namespace: ns, Labels: map[string]string{"app": "a", "tier": "y"}, ServiceAccount: "beta"},
			scenario.Workload{Name: "bx", Namespace: ns, Labels: map[string]string{"app": "b", "tier": "x"}, ServiceAccount: "beta"},
			scenario.Workload{Name: "c", Namespace: ns, Labels: map[string]string{"app": "c"}, ServiceAccount: "default"},
		)
	}
	return append(all, scenario.Workload{
		Name: "guest", Namespace: namespaces[2], Labels: map[string]string{"app": "a", "tier": "x"}, ServiceAccount: "alpha",
	})
}

// Settings are the meshes in which scenarios are checked, one process each.
var Settings = []scenario.Settings{
	{TrustDomain: "cluster.local"},
	{TrustDomain: "cluster.local", RegistryOnly: true},
	{TrustDomain: "td.example", Aliases: []string{"cluster.local", "old.example"}},
}

// Scenario draws a mesh with one to four policies that are valid together.
func Scenario(settings scenario.Settings, tally *Tally) *rapid.Generator[scenario.Scenario] {
	return rapid.Custom(func(t *rapid.T) scenario.Scenario {
		d := drawer{t: t, settings: settings, tally: tally}
		s := scenario.Scenario{Settings: settings, Workloads: workloads(), DNSCapture: d.chance("capture", 3)}
		s.Names = map[string]string{}
		for host, addresses := range addressed {
			s.Names[host] = addresses[0]
		}
		s.Gateways = d.gateways()
		s.Sidecars = d.sidecars()
		n := rapid.IntRange(1, 4).Draw(t, "policies")
		for i := range n {
			d.live = Live(settings, s.Policies)
			if p, ok := d.policy(s, policyNames[i]); ok {
				s.Policies = append(s.Policies, p)
			}
		}
		return s
	})
}

type drawer struct {
	t        *rapid.T
	settings scenario.Settings
	// live are the objects of the other policies.
	live  conflict.Live
	tally *Tally
}

func (d drawer) chance(label string, oneIn int) bool {
	return rapid.IntRange(1, oneIn).Draw(d.t, label) == 1
}

func pick[T any](d drawer, label string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(d.t, label)]
}

func (d drawer) gateways() []compile.Reference {
	first := compile.Reference{Name: "east", Namespace: "egress"}
	if d.chance("selector", 4) {
		first.Selector = map[string]string{"istio": "east"}
	}
	if d.chance("open", 6) {
		none := string(compile.AuthorizationNone)
		first.Authorization = &none
	}
	if d.chance("plain", 8) {
		no := false
		first.MutualTLS = &no
		none := string(compile.AuthorizationNone)
		first.Authorization = &none
	}
	if d.chance("revision", 6) {
		first.Revision = ptr("canary")
	}
	if d.chance("service account", 2) {
		first.ServiceAccount = ptr(first.Name)
	}
	all := []compile.Reference{first}
	if d.chance("second gateway", 2) {
		second := compile.Reference{Name: "west", Namespace: pick(d, "second namespace", []string{"egress", "exit"}), Revision: first.Revision}
		if second.Namespace != first.Namespace && d.chance("namesakes", 3) {
			second.Name = first.Name
		}
		all = append(all, second)
	}
	return all
}

// sidecars are what users have in their namespaces: narrow ones, which import
// no more than their own namespace and the gateways' Services, or only an
// outboundTrafficPolicy of their own.
func (d drawer) sidecars() []scenario.Sidecar {
	var all []scenario.Sidecar
	for _, ns := range namespaces {
		if !d.chance("sidecar", 4) {
			continue
		}
		s := scenario.Sidecar{Namespace: ns, Hosts: pick(d, "egress", [][]string{{"./*"}, {"*/*"}, {"./*", "istio-system/*"}})}
		switch rapid.IntRange(0, 2).Draw(d.t, "mode") {
		case 1:
			s.RegistryOnly = ptr(true)
		case 2:
			s.RegistryOnly = ptr(false)
		}
		all = append(all, s)
	}
	return all
}

// tries is how often a part is drawn again when it does not fit to the rest.
const tries = 6

// policy draws a policy that is valid and fits to those of the scenario.
func (d drawer) policy(s scenario.Scenario, name string) (policy.Policy, bool) {
	p := policy.Policy{Name: name, UnselectedWorkloads: policy.Deny}
	ref := pick(d, "gateway", s.Gateways)
	p.ByEgressGateway = &ref
	switch {
	case d.chance("without a gateway", 8):
		p.ByEgressGateway = nil
		p.Revision = ref.Revision
	case d.chance("direct", 6):
		p.UnselectedWorkloads = policy.Direct
	}
	rules := rapid.IntRange(1, 2).Draw(d.t, "rules")
	for r := range rules {
		rule := policy.Rule{From: d.sources(p.ByEgressGateway)}
		for e := range rapid.IntRange(1, 3).Draw(d.t, "entries") {
			for range tries {
				next := p
				grown := rule
				grown.To = append(slices.Clone(rule.To), d.entry(s, p, fmt.Sprintf("e%d%d", r, e)))
				next.EgressRules = append(slices.Clone(p.EgressRules), grown)
				// Of what is there already the others' objects have been looked at.
				added := next
				added.EgressRules = []policy.Rule{{From: rule.From, To: grown.To[len(grown.To)-1:]}}
				if d.fits(next, added) {
					rule = grown
					break
				}
			}
		}
		if len(rule.To) > 0 {
			p.EgressRules = append(p.EgressRules, rule)
		}
	}
	return p, len(p.EgressRules) > 0
}

func (d drawer) sources(ref *compile.Reference) []policy.From {
	if ref == nil {
		return []policy.From{{Namespace: pick(d, "namespace", namespaces[:2]), WorkloadSelector: map[string]string{}}}
	}
	identified := ref.UsesMutualTLS() && d.chance("accounts", 2)
	var all []policy.From
	for range rapid.IntRange(1, 2).Draw(d.t, "sources") {
		f := policy.From{Namespace: pick(d, "namespace", namespaces[:2]), WorkloadSelector: pick(d, "selector", selectors)}
		if identified {
			f.ServiceAccounts = d.accounts()
		}
		all = append(all, f)
	}
	return all
}

func (d drawer) accounts() []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(accounts), 1, 2, rapid.ID).Draw(d.t, "service accounts")
}

func (d drawer) explicit() *policy.EntryGateway {
	if d.chance("explicit", 3) {
		return &policy.EntryGateway{Port: pick(d, "gateway port", explicitPorts)}
	}
	return nil
}

func (d drawer) entry(s scenario.Scenario, p policy.Policy, name string) policy.To {
	to := policy.To{Name: name}
	if p.ByEgressGateway != nil {
		to.ByEgressGateway = d.explicit()
	}
	if d.chance("wildcard", 10) {
		to.Hosts = []string{pick(d, "host", []string{"*.w.example", "*.deep.v.example"})}
		to.ResolveTo = ptr("front" + to.Hosts[0][1:])
		to.Port = pick(d, "port", []policy.Port{{Name: "p", Number: 443, Protocol: "HTTPS"}, {Name: "p", Number: 80, Protocol: "HTTP"}, {Name: "p", Number: 8443, Protocol: "TLS"}})
		return to
	}
	switch rapid.IntRange(0, 9).Draw(d.t, "kind") {
	case 0, 1, 2, 3:
		to.Port = policy.Port{Number: pick(d, "port", httpPorts), Protocol: "HTTP"}
		if d.chance("other", 6) {
			to.Port.Protocol = pick(d, "protocol", []string{"HTTP2", "GRPC"})
		}
		to.Hosts = d.hosts(webHosts, 3)
		if p.ByEgressGateway != nil && d.chance("upgraded", 2) {
			to.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: pick(d, "upgrade", upgradePorts)}
			to.TLS = d.tls()
			if d.chance("HTTP on 443", 8) {
				to.Port.Number = 443
			}
		}
	case 4, 5, 6:
		to.Port = policy.Port{Number: pick(d, "port", tlsPorts), Protocol: "HTTPS"}
		if d.chance("other", 4) {
			to.Port.Protocol = "TLS"
		}
		to.Hosts = d.hosts(webHosts, 3)
	default:
		to.Port = policy.Port{Number: pick(d, "port", tcpPorts), Protocol: "TCP"}
		switch k := rapid.IntRange(0, 2).Draw(d.t, "by"); {
		case k == 0 && s.DNSCapture:
			to.Hosts = d.hosts(dbHosts, 2)
		case k == 1:
			to.Hosts = []string{pick(d, "host", []string{"db1.example", "db2.example"})}
			to.Addresses = addressed[to.Hosts[0]]
		default:
			to.Hosts = d.hosts(dbIPs, 2)
		}
	}
	to.Port.Name = "p"
	return to
}

func (d drawer) hosts(from []string, most int) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, most, rapid.ID).Draw(d.t, "hosts")
}

func (d drawer) tls() *policy.TLS {
	switch rapid.IntRange(0, 7).Draw(d.t, "tls") {
	case 0:
		return &policy.TLS{Mode: policy.Mutual, CredentialName: ptr("client-cred")}
	case 1:
		return &policy.TLS{Mode: policy.Simple, CredentialName: ptr("ca-cred")}
	case 2:
		return &policy.TLS{Mode: policy.Simple, SNI: ptr("front.example"), SubjectAltNames: []string{"front.example", "back.example"}}
	case 3:
		return &policy.TLS{Mode: policy.Simple, InsecureSkipVerify: ptr(true)}
	default:
		return nil
	}
}

func ptr[T any](v T) *T { return &v }
