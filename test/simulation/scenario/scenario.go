// Package scenario describes a small mesh and the calls that are made in it.
// It is what generator, oracle and judge have in common, and holds no rule of
// its own.
package scenario

import (
	"maps"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Settings are the facts of the mesh that all scenarios of one generator
// process share.
type Settings struct {
	// RegistryOnly is the mesh's outboundTrafficPolicy; ALLOW_ANY otherwise.
	RegistryOnly bool
	TrustDomain  string
	Aliases      []string
}

// Equal reports whether two meshes have the same settings.
func (s Settings) Equal(other Settings) bool {
	return s.RegistryOnly == other.RegistryOnly && s.TrustDomain == other.TrustDomain && slices.Equal(s.Aliases, other.Aliases)
}

// Mesh returns the settings as the compiler takes them.
func (s Settings) Mesh() compile.Mesh {
	return compile.Mesh{
		RootNamespace:      "istio-system",
		TrustDomain:        s.TrustDomain,
		TrustDomainAliases: s.Aliases,
		ClusterDomain:      "cluster.local",
	}
}

// Scenario is a mesh with its policies.
type Scenario struct {
	Settings
	// DNSCapture is whether the sidecars answer the workloads' DNS queries.
	DNSCapture bool
	Gateways   []compile.Reference
	Workloads  []Workload
	// Names are the addresses of names in the world's DNS.
	Names map[string]string
	// Sidecars of the users' own, at most one in a namespace.
	Sidecars []Sidecar
	// Policies in the order in which they are applied.
	Policies []policy.Policy
}

// Workload is a pod with a sidecar.
type Workload struct {
	Name           string
	Namespace      string
	Labels         map[string]string
	ServiceAccount string
}

// Sidecar is a Sidecar object without a selector.
type Sidecar struct {
	Namespace string
	// Hosts are the egress hosts.
	Hosts []string
	// RegistryOnly is its outboundTrafficPolicy; nil where it has none, which
	// means that of the mesh.
	RegistryOnly *bool
}

// IsRegistryOnly returns the outboundTrafficPolicy of a namespace.
func (s Scenario) IsRegistryOnly(namespace string) bool {
	for _, sidecar := range s.Sidecars {
		if sidecar.Namespace == namespace && sidecar.RegistryOnly != nil {
			return *sidecar.RegistryOnly
		}
	}
	return s.RegistryOnly
}

// In returns the scenario with prefix before the name of each namespace and
// gateway, so that many scenarios, and many states of one, fit into one mesh.
// Gateways too, because a Gateway object acts on the pods that it selects in
// all namespaces.
func (s Scenario) In(prefix string) Scenario {
	s.Gateways = slices.Clone(s.Gateways)
	for i := range s.Gateways {
		s.Gateways[i] = renameGateway(s.Gateways[i], prefix)
	}
	s.Workloads = slices.Clone(s.Workloads)
	for i := range s.Workloads {
		s.Workloads[i].Namespace = prefix + s.Workloads[i].Namespace
	}
	s.Sidecars = slices.Clone(s.Sidecars)
	for i := range s.Sidecars {
		s.Sidecars[i].Namespace = prefix + s.Sidecars[i].Namespace
	}
	s.Policies = slices.Clone(s.Policies)
	for i := range s.Policies {
		s.Policies[i] = rename(s.Policies[i], prefix)
	}
	return s
}

func rename(p policy.Policy, prefix string) policy.Policy {
	if p.ByEgressGateway != nil {
		ref := renameGateway(*p.ByEgressGateway, prefix)
		p.ByEgressGateway = &ref
	}
	p.EgressRules = slices.Clone(p.EgressRules)
	for r := range p.EgressRules {
		from := slices.Clone(p.EgressRules[r].From)
		for f := range from {
			from[f].Namespace = prefix + from[f].Namespace
		}
		p.EgressRules[r].From = from
	}
	return p
}

func renameGateway(ref compile.Reference, prefix string) compile.Reference {
	ref.Name, ref.Namespace = prefix+ref.Name, prefix+ref.Namespace
	if ref.ServiceAccount != nil {
		ref.ServiceAccount = &ref.Name // the pods' account is their gateway's name
	}
	ref.Selector = maps.Clone(ref.Selector)
	for key, value := range ref.Selector {
		ref.Selector[key] = prefix + value
	}
	return ref
}

// With returns the scenario with other policies.
func (s Scenario) With(policies ...policy.Policy) Scenario {
	s.Policies = policies
	return s
}

// Address returns where the world's DNS sends a name: to what Names says, else
// to an address of its own. An address is itself.
func (s Scenario) Address(host string) string {
	if known, ok := s.Names[host]; ok {
		return known
	}
	return address(host)
}
