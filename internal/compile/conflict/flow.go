package conflict

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// flow is what one source may reach: one host on one port.
type flow struct {
	// at is the path of the host.
	at        []any
	namespace string
	labels    map[string]string
	// host is the name by which the mesh knows it.
	host      string
	addresses []string
	port      int64
	protocol  string
	// servicePort is the port of the policy's Service; 0 while it is unknown.
	servicePort int64
}

// String returns host:port.
func (f flow) String() string { return f.host + ":" + strconv.FormatInt(f.port, 10) }

func (f flow) isWildcard() bool { return strings.HasPrefix(f.host, "*") }

// workloads names the sources for people.
func (f flow) workloads() string {
	if len(f.labels) == 0 {
		return "the workloads of namespace " + f.namespace
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(f.labels)) {
		pairs = append(pairs, key+"="+f.labels[key])
	}
	return fmt.Sprintf("workloads %s of namespace %s", strings.Join(pairs, ","), f.namespace)
}

func flowsOf(p policy.Policy, slots []ports.Slot, assigned map[string]int64) []flow {
	servicePorts := map[string]int64{}
	for _, slot := range slots {
		number := slot.Service
		if port, ok := slot.Port(assigned); ok && number == 0 {
			number = port
		}
		for _, member := range slot.Members {
			servicePorts[member] = number
		}
	}
	var flows []flow
	eachEntry(p, func(path []any, rule policy.Rule, to policy.To) {
		for k, host := range to.Hosts {
			servicePort, ok := servicePorts[to.Name]
			if !ok {
				servicePort = servicePorts[to.Name+"/"+host]
			}
			addresses := to.Addresses
			if _, err := netip.ParseAddr(host); err == nil {
				addresses = []string{host}
			}
			for _, from := range rule.From {
				flows = append(flows, flow{
					at: at(path, "hosts", k), namespace: from.Namespace, labels: from.WorkloadSelector,
					host: policy.MeshHost(host), addresses: addresses,
					port: to.Port.Number, protocol: to.Port.Protocol, servicePort: servicePort,
				})
			}
		}
	})
	return flows
}

// eachEntry calls do with every entry, its path and its rule.
func eachEntry(p policy.Policy, do func(path []any, rule policy.Rule, to policy.To)) {
	for i, rule := range p.EgressRules {
		for j, to := range rule.To {
			do([]any{"egress_rules", i, "to", j}, rule, to)
		}
	}
}

// eachUpstream calls do with every host that the gateway connects to, and the
// path of the attribute that says so.
func eachUpstream(p policy.Policy, do func(path []any, host string, to policy.To)) {
	if p.ByEgressGateway == nil {
		return
	}
	eachEntry(p, func(path []any, _ policy.Rule, to policy.To) {
		if to.ResolveTo != nil {
			do(at(path, "resolve_to"), *to.ResolveTo, to)
			return
		}
		for k, host := range to.Hosts {
			do(at(path, "hosts", k), policy.MeshHost(host), to)
		}
	})
}

// isUpgraded reports whether the gateway speaks TLS for an entry by a
// DestinationRule of the policy.
func isUpgraded(to policy.To) bool { return to.HTTPSUpgrade != nil && to.HTTPSUpgrade.Enabled }
