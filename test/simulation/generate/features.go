package generate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// AllFeatures returns what scenarios must have been drawn with, each of them
// now and then.
func AllFeatures() []string {
	return []string{
		"1 policy", "2 policies", "3 policies", "4 policies",
		"ALLOW_ANY", "REGISTRY_ONLY", "DNS capture", "trust domain aliases",
		"a user's Sidecar", "a user's Sidecar with a mode of its own",
		"two gateways", "gateways of one name", "gateway with a selector", "gateway without mutual TLS", "gateway without authorization",
		"revision", "direct policy", "unselected workloads go directly",
		"two source namespaces in a policy", "source without labels", "source with labels", "source with service accounts",
		"two sources of a rule in one namespace",
		"HTTP", "HTTP2", "GRPC", "HTTPS", "TLS", "TCP",
		"upgrade", "upgrade with MUTUAL", "upgrade with a CA", "upgrade with SNI and names", "upgrade without verification",
		"wildcard with resolve_to", "TCP by address", "TCP by name with addresses", "TCP by name without addresses",
		"explicit port from 1024", "explicit port below 1024", "hosts that share a port of the gateway",
		"host in two entries", "host in two policies", "host on two ports", "host in two namespaces",
	}
}

// Features returns which of AllFeatures a scenario has.
func Features(s scenario.Scenario) []string {
	f := found{}
	f.mesh(s)
	policiesOf, entriesOf, portsOf, namespacesOf := counter{}, counter{}, counter{}, counter{}
	for _, p := range s.Policies {
		f.policy(p)
		namespaces := map[string]bool{}
		for r, rule := range p.EgressRules {
			f.sources(rule)
			for _, from := range rule.From {
				namespaces[from.Namespace] = true
			}
			for _, to := range rule.To {
				f.entry(to)
				for _, host := range to.Hosts {
					policiesOf.add(host, p.Name)
					entriesOf.add(host, fmt.Sprint(p.Name, r, to.Name))
					portsOf.add(host, fmt.Sprint(to.Port.Number))
					for _, from := range rule.From {
						namespacesOf.add(host, from.Namespace)
					}
				}
			}
		}
		f.when(len(namespaces) > 1, "two source namespaces in a policy")
	}
	f.when(policiesOf.twice(), "host in two policies")
	f.when(entriesOf.twice(), "host in two entries")
	f.when(portsOf.twice(), "host on two ports")
	f.when(namespacesOf.twice(), "host in two namespaces")
	return slices.Sorted(maps.Keys(f))
}

type found map[string]bool

func (f found) when(is bool, feature string) {
	if is {
		f[feature] = true
	}
}

func (f found) mesh(s scenario.Scenario) {
	f.when(len(s.Policies) == 1, "1 policy")
	f.when(len(s.Policies) > 1, fmt.Sprintf("%d policies", len(s.Policies)))
	f.when(s.RegistryOnly, "REGISTRY_ONLY")
	f.when(!s.RegistryOnly, "ALLOW_ANY")
	f.when(s.DNSCapture, "DNS capture")
	f.when(len(s.Aliases) > 0, "trust domain aliases")
	for _, sidecar := range s.Sidecars {
		f.when(true, "a user's Sidecar")
		f.when(sidecar.RegistryOnly != nil, "a user's Sidecar with a mode of its own")
	}
	for i, ref := range s.Gateways {
		f.when(i > 0, "two gateways")
		f.when(i > 0 && ref.Name == s.Gateways[0].Name, "gateways of one name")
		f.when(len(ref.Selector) > 0, "gateway with a selector")
		f.when(!ref.UsesMutualTLS(), "gateway without mutual TLS")
		f.when(ref.UsesMutualTLS() && !ref.ChecksNamespace(), "gateway without authorization")
		f.when(ref.Revision != nil, "revision")
		f.when(ref.ServiceAccount != nil, "gateway with a service account")
	}
}

func (f found) policy(p policy.Policy) {
	f.when(p.ByEgressGateway == nil, "direct policy")
	f.when(p.ByEgressGateway != nil && p.UnselectedWorkloads == policy.Direct, "unselected workloads go directly")
}

func (f found) sources(rule policy.Rule) {
	inNamespace := map[string]bool{}
	for _, from := range rule.From {
		f.when(inNamespace[from.Namespace], "two sources of a rule in one namespace")
		inNamespace[from.Namespace] = true
		f.when(len(from.WorkloadSelector) == 0, "source without labels")
		f.when(len(from.WorkloadSelector) > 0, "source with labels")
		f.when(len(from.ServiceAccounts) > 0, "source with service accounts")
	}
}

func (f found) entry(to policy.To) {
	f[to.Port.Protocol] = true
	f.when(to.ResolveTo != nil && strings.HasPrefix(to.Hosts[0], "*"), "wildcard with resolve_to")
	if to.Port.Protocol == policy.TCP {
		isAddress := strings.Trim(to.Hosts[0], "0123456789.") == ""
		f.when(isAddress, "TCP by address")
		f.when(!isAddress && len(to.Addresses) > 0, "TCP by name with addresses")
		f.when(!isAddress && len(to.Addresses) == 0, "TCP by name without addresses")
	}
	if to.HTTPSUpgrade != nil && to.HTTPSUpgrade.Enabled {
		f["upgrade"] = true
		if to.TLS != nil {
			f.when(to.TLS.Mode == policy.Mutual, "upgrade with MUTUAL")
			f.when(to.TLS.Mode == policy.Simple && to.TLS.CredentialName != nil, "upgrade with a CA")
			f.when(to.TLS.SNI != nil && len(to.TLS.SubjectAltNames) > 0, "upgrade with SNI and names")
			f.when(to.TLS.InsecureSkipVerify != nil && *to.TLS.InsecureSkipVerify, "upgrade without verification")
		}
	}
	if to.ByEgressGateway != nil {
		f.when(to.ByEgressGateway.Port >= 1024, "explicit port from 1024")
		f.when(to.ByEgressGateway.Port < 1024, "explicit port below 1024")
		f.when(len(to.Hosts) > 1 && !isHTTP(to), "hosts that share a port of the gateway")
	}
}

// counter counts what goes with a key.
type counter map[string]map[string]bool

func (c counter) add(key, with string) {
	if c[key] == nil {
		c[key] = map[string]bool{}
	}
	c[key][with] = true
}

func (c counter) twice() bool {
	for _, with := range c {
		if len(with) > 1 {
			return true
		}
	}
	return false
}
