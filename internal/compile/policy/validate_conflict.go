package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// placed is an entry with its place in the configuration.
type placed struct {
	entry
	at where
}

// conflicts checks the entries against each other.
func (v *validator) conflicts() {
	var entries []placed
	for i, rule := range v.policy.EgressRules {
		for j, to := range rule.To {
			entries = append(entries, placed{
				entry: entry{To: to, hosts: to.Hosts, sources: rule.From},
				at:    where{"egress_rules", i, "to", j},
			})
		}
	}
	v.sourceOverlaps(entries)
	v.sourcePorts(entries)
	v.sourceAddresses(entries)
	if !v.direct() {
		v.upstreamPorts(entries)
		v.sharedPorts(entries)
		v.wildcardGaps(entries)
	}
}

// sourceOverlaps finds workloads that two entries claim for one host and
// port: of their routes only the first would be used.
func (v *validator) sourceOverlaps(entries []placed) {
	type key struct {
		namespace, host string
		port            int64
	}
	type claim struct {
		entry  placed
		source From
	}
	claims := map[key][]claim{}
	for _, e := range entries {
		reported := map[string]bool{}
		for _, source := range e.sources {
			for i, host := range e.hosts {
				k := key{source.Namespace, host, e.Port.Number}
				for _, other := range claims[k] {
					if other.entry.Name == e.Name || reported[other.entry.Name] || !compile.MayMatch(other.source.WorkloadSelector, source.WorkloadSelector) {
						continue
					}
					reported[other.entry.Name] = true
					v.fail(e.at.at("hosts", i), "Overlapping sources",
						"Workloads of namespace %q can be selected by %s and by %s, and both want %s: the first route would win. "+
							"Entries %q (%s) and %q need sources that no workload has in common, or must be one entry.",
						source.Namespace, selectorName(other.source), selectorName(source), hostPort(host, e.Port.Number),
						other.entry.Name, other.entry.at, e.Name)
				}
				claims[k] = append(claims[k], claim{e, source})
			}
		}
	}
}

// wildcardGaps finds hosts of a wildcard that other entries name: requests to
// them follow those entries alone, for all workloads of the namespace. Istio
// looks for the VirtualService with the most specific host before it looks at
// labels (pilot/pkg/model/sidecar.go, computeWildcardHostVirtualServiceIndex).
// Server names of TLS follow the wildcard's route where no other matches.
func (v *validator) wildcardGaps(entries []placed) {
	for _, wide := range entries {
		for i, wildcard := range wide.hosts {
			if !strings.HasPrefix(wildcard, "*") || !isHTTP(wide.Port.Protocol) {
				continue
			}
			for _, narrow := range entries {
				if isHTTP(narrow.Port.Protocol) && narrow.Port.Number == wide.Port.Number {
					v.wildcardGap(wide.at.at("hosts", i), wildcard, wide, narrow, entries)
				}
			}
		}
	}
}

func (v *validator) wildcardGap(at where, wildcard string, wide, narrow placed, entries []placed) {
	for _, host := range narrow.hosts {
		if host == wildcard || !strings.HasSuffix(host, wildcard[1:]) {
			continue
		}
		if gap, ok := uncovered(entries, wide, narrow, host); ok {
			v.warn(at, "Host of a wildcard with an entry of its own",
				"Requests to %s follow entry %q (%s) alone. It does not select all workloads of namespace %q that this one does (%s): the others are refused there, or go directly. "+
					"Give that entry the sources of %q too, if they shall reach the host.",
				hostPort(host, wide.Port.Number), narrow.Name, narrow.at, gap.Namespace, selectorName(gap), wide.Name)
			return
		}
	}
}

// uncovered returns a source of an entry for a wildcard that has no entry for
// one of its hosts, though its namespace has.
func uncovered(entries []placed, wide, narrow placed, host string) (From, bool) {
	for _, source := range wide.sources {
		if !slices.Contains(narrow.namespaces(), source.Namespace) {
			continue
		}
		covered := slices.ContainsFunc(entries, func(e placed) bool {
			return e.Port.Number == wide.Port.Number && slices.Contains(e.hosts, host) && slices.ContainsFunc(e.sources, func(other From) bool {
				return other.Namespace == source.Namespace && selectsAll(other.WorkloadSelector, source.WorkloadSelector)
			})
		})
		if !covered {
			return source, true
		}
	}
	return From{}, false
}

// selectsAll reports whether every workload with the labels is selected.
func selectsAll(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

func selectorName(f From) string {
	if len(f.WorkloadSelector) == 0 {
		return "every label"
	}
	return selectorText(f.WorkloadSelector)
}

// sourcePorts finds entries that give one port of a host in a namespace two
// protocols or names, or one host two ways to be resolved: a source namespace
// has one ServiceEntry for a host.
func (v *validator) sourcePorts(entries []placed) {
	firsts := map[string]placed{}
	for _, e := range entries {
		for _, namespace := range e.namespaces() {
			for _, host := range e.hosts {
				key := fmt.Sprintf("%s %s", namespace, hostPort(host, e.Port.Number))
				first, ok := firsts[key]
				if !ok {
					firsts[key] = e
					continue
				}
				if first.Port.Protocol != e.Port.Protocol {
					v.fail(e.at.at("port", "protocol"), "Two protocols on one port",
						"Entry %q (%s) has %s on %s in namespace %q, this one %s. A port of a host has one protocol.",
						first.Name, first.at, first.Port.Protocol, hostPort(host, e.Port.Number), namespace, e.Port.Protocol)
					return
				}
				if first.Port.Name != e.Port.Name {
					v.fail(e.at.at("port", "name"), "Two names for one port",
						"Entry %q (%s) names %s in namespace %q %q, this one %q. A port of a host has one name.",
						first.Name, first.at, hostPort(host, e.Port.Number), namespace, first.Port.Name, e.Port.Name)
					return
				}
			}
		}
	}
	if !v.direct() {
		return
	}
	resolved := map[string]placed{}
	for _, e := range entries {
		for _, host := range e.hosts {
			first, ok := resolved[host]
			if ok && pointed(first.ResolveTo) != pointed(e.ResolveTo) {
				v.fail(e.at.at("resolve_to"), "Two ways to resolve a host",
					"Entry %q (%s) resolves %q to %q, this one to %q.", first.Name, first.at, host, pointed(first.ResolveTo), pointed(e.ResolveTo))
				return
			}
			resolved[host] = e
		}
	}
}

func pointed(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// sourceAddresses finds addresses that lead to two hosts on one port, and
// hosts that have different addresses in two entries. The sidecar has one
// listener for an address and port, and a ServiceEntry one list of addresses.
func (v *validator) sourceAddresses(entries []placed) {
	type claim struct {
		host  string
		entry placed
	}
	listeners := map[string]claim{}
	lists := map[string]placed{}
	for _, e := range entries {
		for _, namespace := range e.namespaces() {
			for _, host := range e.hosts {
				addresses := e.Addresses
				if isIP(host) {
					addresses = []string{host}
				}
				for _, address := range addresses {
					key := fmt.Sprintf("%s %s %d", namespace, address, e.Port.Number)
					if first, ok := listeners[key]; ok && first.host != host {
						v.fail(e.at, "One address for two hosts",
							"Calls to %s from namespace %q would be for %q by entry %q (%s), and for %q by this one.",
							hostPort(address, e.Port.Number), namespace, first.host, first.entry.Name, first.entry.at, host)
						return
					}
					listeners[key] = claim{host, e}
				}
				if len(e.Addresses) == 0 {
					continue
				}
				first, ok := lists[namespace+" "+host]
				if ok && !slices.Equal(distinct(first.Addresses), distinct(e.Addresses)) {
					v.fail(e.at.at("addresses"), "Two lists of addresses for one host",
						"Entry %q (%s) gives %q the addresses %s in namespace %q, this one %s.",
						first.Name, first.at, host, strings.Join(first.Addresses, ", "), namespace, strings.Join(e.Addresses, ", "))
					return
				}
				lists[namespace+" "+host] = e
			}
		}
	}
}

// upstreamPorts finds entries that give one port of a host two protocols on
// the gateway's side: the gateway has one ServiceEntry for a host.
func (v *validator) upstreamPorts(entries []placed) {
	firsts := map[string]placed{}
	for _, e := range entries {
		number, protocol := e.upstreamPort()
		for _, host := range e.hosts {
			key := hostPort(e.upstreamHost(host), number)
			first, ok := firsts[key]
			if !ok {
				firsts[key] = e
				continue
			}
			if _, other := first.upstreamPort(); other != protocol {
				v.fail(e.at.at("port", "protocol"), "Two protocols to one port of a host",
					"The gateway would speak %s to %s for entry %q (%s), and %s for this one. A port of a host has one protocol.",
					other, key, first.Name, first.at, protocol)
				return
			}
		}
	}
}

// sharedPorts checks the entries that name the same by_egress_gateway.port,
// and the hosts of one that names a port.
func (v *validator) sharedPorts(entries []placed) {
	groups := map[int64][]placed{}
	for _, e := range entries {
		if e.ByEgressGateway != nil {
			groups[e.ByEgressGateway.Port] = append(groups[e.ByEgressGateway.Port], e)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(groups)) {
		for i, e := range groups[port] {
			at := e.at.at("by_egress_gateway", "port")
			if e.Port.Protocol == TCP && !v.mutualTLS() && (len(e.hosts) > 1 || len(groups[port]) > 1) {
				v.fail(at, "TCP on a shared port",
					"Without mutual TLS nothing tells two TCP hosts on one port of the gateway apart. Give each host an entry with a port of its own, or leave by_egress_gateway out.")
				return
			}
			for _, other := range groups[port][:i] {
				if why := cannotShare(other.entry, e.entry); why != "" {
					v.fail(at, "Port cannot be shared", "Entry %q (%s) names port %d too, and %s. Choose another port.", other.Name, other.at, port, why)
					return
				}
			}
		}
	}
}

// cannotShare says why two entries cannot have one port of the gateway.
func cannotShare(a, b entry) string {
	switch {
	case isHTTP(a.Port.Protocol) != isHTTP(b.Port.Protocol):
		return fmt.Sprintf("%s and %s cannot share a port of the gateway", a.Port.Protocol, b.Port.Protocol)
	case (a.Port.Protocol == HTTP) != (b.Port.Protocol == HTTP) && isHTTP(a.Port.Protocol):
		return "HTTP/1.1 and HTTP/2 cannot share a port of the gateway"
	}
	for _, one := range a.hosts {
		for _, other := range b.hosts {
			if hostsMeet(one, other) {
				return fmt.Sprintf("entries that share a port need hosts of their own: %q and %q meet", one, other)
			}
		}
	}
	return ""
}

// hostsMeet reports whether some name is both.
func hostsMeet(a, b string) bool {
	if a == b {
		return true
	}
	matches := func(wildcard, host string) bool {
		suffix, ok := strings.CutPrefix(wildcard, "*")
		return ok && strings.HasSuffix(host, suffix)
	}
	return matches(a, b) || matches(b, a)
}
