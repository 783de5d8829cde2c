package generate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// grant is one source and one host of an entry, which is what can be in
// conflict with another.
type grant struct {
	p    policy.Policy
	rule int
	from policy.From
	to   policy.To
	host string
}

// Fit returns why policies cannot be in one mesh, "" if they can. It is
// written from what Istio merges and what it does not, independently of the
// compiler's own rules, so that a policy which passes those and not this shows
// a gap in one of the two.
func Fit(policies []policy.Policy) string {
	var all []grant
	for _, p := range policies {
		for r, rule := range p.EgressRules {
			for _, from := range rule.From {
				for _, to := range rule.To {
					for _, host := range to.Hosts {
						all = append(all, grant{p, r, from, to, host})
					}
				}
			}
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if why := a.against(b); why != "" {
				return fmt.Sprintf("%s/%s and %s/%s on %s: %s", a.p.Name, a.to.Name, b.p.Name, b.to.Name, a.host, why)
			}
		}
	}
	return ""
}

func (a grant) against(b grant) string {
	sameEntry := a.p.Name == b.p.Name && a.to.Name == b.to.Name
	sameSource := a.from.Namespace == b.from.Namespace
	sameGatewayNamespace := a.p.ByEgressGateway != nil && b.p.ByEgressGateway != nil && a.p.ByEgressGateway.Namespace == b.p.ByEgressGateway.Namespace
	if a.host == b.host && sameSource && !sameEntry {
		switch {
		case a.to.Port.Number == b.to.Port.Number && overlap(a.from.WorkloadSelector, b.from.WorkloadSelector):
			return "the sources overlap"
		case a.to.Port.Number == b.to.Port.Number && a.to.Port.Protocol != b.to.Port.Protocol:
			return "two protocols on one port"
		case a.p.UnselectedWorkloads != b.p.UnselectedWorkloads || (a.p.ByEgressGateway == nil) != (b.p.ByEgressGateway == nil):
			return "deny and direct"
		}
	}
	if a.host == b.host && sameSource && a.p.Name != b.p.Name && strings.HasPrefix(a.host, "*") && (a.kind() || b.kind()) {
		// Of several VirtualServices for a wildcard host the sidecar takes the
		// oldest for HTTP, whatever its ports and labels
		// (pilot/pkg/model/sidecar.go, mostSpecificWildcardVsIndex).
		return "a wildcard host, HTTP, in two policies"
	}
	if a.host == b.host && sameSource && a.p.Name != b.p.Name && a.virtual() && b.virtual() {
		// Each has a virtual address of its own, and the name one answer.
		return "TCP without addresses in two policies"
	}
	if a.host == b.host && sameSource && a.p.Name != b.p.Name && a.virtual() != b.virtual() && a.passable() {
		// Their ServiceEntries differ in a label, so that they do not merge,
		// and the second has no cluster. A dead end needs none.
		return "TCP without addresses, and another policy"
	}
	if a.host == b.host && (sameSource || sameGatewayNamespace) && !slices.Equal(a.to.Addresses, b.to.Addresses) {
		return "two sets of addresses"
	}
	if a.host == b.host && sameGatewayNamespace {
		portA, protocolA := a.upstream()
		portB, protocolB := b.upstream()
		if portA == portB && protocolA != protocolB {
			return "two protocols on one upstream port"
		}
	}
	if a.host != b.host && sameSource && a.to.Port.Number == b.to.Port.Number && a.to.Port.Protocol == "TCP" && b.to.Port.Protocol == "TCP" {
		for _, address := range a.to.Addresses {
			if slices.Contains(b.to.Addresses, address) || b.host == address {
				return "one address for two hosts"
			}
		}
	}
	if a.to.Name == b.to.Name && a.p.Name == b.p.Name {
		return ""
	}
	if a.to.ByEgressGateway == nil || b.to.ByEgressGateway == nil || a.to.ByEgressGateway.Port != b.to.ByEgressGateway.Port {
		return ""
	}
	if a.p.Name == b.p.Name {
		if a.host == b.host || a.kind() != b.kind() {
			return "one port on the gateway for one host, or two kinds"
		}
		return ""
	}
	// Gateway objects select pods in all namespaces, so that gateways of one
	// name in two namespaces have their ports in common.
	if a.to.ByEgressGateway.Port >= 1024 && a.p.ByEgressGateway.Name == b.p.ByEgressGateway.Name {
		return "one container port"
	}
	return ""
}

func (a grant) kind() bool {
	return slices.Contains([]string{"HTTP", "HTTP2", "GRPC"}, a.to.Port.Protocol)
}

// virtual reports whether the host gets an address from istiod: TCP by a name
// that says no address.
func (a grant) virtual() bool {
	_, err := netip.ParseAddr(a.host)
	return a.to.Port.Protocol == "TCP" && len(a.to.Addresses) == 0 && err != nil
}

// passable reports whether the source-side ServiceEntry leads somewhere.
func (a grant) passable() bool {
	return a.p.ByEgressGateway == nil || a.p.UnselectedWorkloads == policy.Direct
}

func (a grant) upstream() (int64, string) {
	if a.to.HTTPSUpgrade != nil && a.to.HTTPSUpgrade.Enabled {
		return a.to.HTTPSUpgrade.Port, "HTTPS"
	}
	return a.to.Port.Number, a.to.Port.Protocol
}

// overlap reports whether some workload can have the labels of both.
func overlap(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return false
		}
	}
	return true
}
