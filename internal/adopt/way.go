package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// flow is one way out: some workloads of a namespace, to a port of a host.
type flow struct {
	namespace string
	labels    map[string]string
	accounts  []string
	entry     *serviceEntry
	port      *servicePort
	host      string
	// route is what led the sidecar; nil where it followed the ServiceEntry.
	route *route
	// via is the Service of the gateway, empty for a direct way.
	via via
	// unselected is set where workloads that no route selects go directly.
	unselected bool
	// rest is set for the way of those workloads.
	rest bool
	// to is the entry without a name.
	to policy.To
	// parts are what the way goes through.
	parts []*part
}

// via names the Service of a gateway.
type via struct{ name, namespace string }

// branch is one of the ways that the workloads of a namespace take to a port.
type branch struct {
	labels map[string]string
	route  *route // nil for those that no route selects
	match  *match
}

// ways returns how the sidecars of a namespace lead calls to a port of a host,
// the first match first, by the rules of the section:
//
//   - http: of the VirtualServices for the host with the most specific name,
//     private ones of the namespace come first, then those exported to it, then
//     public ones, and of each kind the oldest. A workload that one of them has
//     a route for takes no other (pilot/pkg/model/virtualservice.go,
//     SelectVirtualServices; model/sidecar.go,
//     computeWildcardHostVirtualServiceIndex). A match that names gateways
//     takes no notice of its source (core/route/route.go, sourceMatchHTTP).
//   - tls, tcp: all are walked in that order until a match takes the workload.
//
// Whom no route takes goes as the ServiceEntry says.
func (w *world) ways(namespace, host string, se *serviceEntry, port *servicePort) []branch {
	var branches []branch
	for _, vs := range w.routing(namespace, host, policy.Section(port.protocol)) {
		for _, r := range vs.routes {
			if r.section != policy.Section(port.protocol) {
				continue
			}
			for _, m := range r.matches {
				if !slices.Contains(m.gateways, mesh) || m.port != 0 && m.port != port.number || !m.names(r.section, host) {
					continue
				}
				labels := m.labels
				if r.section == policy.SectionHTTP && m.named {
					w.ignoredSource(m)
					labels = nil
				} else if m.sourceNamespace != "" && m.sourceNamespace != namespace {
					m.used = true // it is for another namespace
					continue
				}
				if r.section == policy.SectionTCP && len(m.subnets) > 0 && !sameSet(m.subnets, se.addresses) {
					m.subnetsAt.Fail("calls to some addresses of the host are led this way; an entry has all that the ServiceEntry declares")
				}
				if slices.ContainsFunc(branches, func(b branch) bool { return selects(b.labels, labels) }) {
					continue // an earlier one has them all
				}
				branches = append(branches, branch{labels, r, m})
				if len(labels) == 0 {
					return branches
				}
			}
		}
	}
	return append(branches, branch{})
}

// ignoredSource reports labels that look as if they chose who is led.
func (w *world) ignoredSource(m *match) {
	const text = "%s has no effect today: a match of requests that names gateways takes no notice of its source. The policy admits whom Istio admits; " +
		"to hold it to what is written, say it in `from`"
	if len(m.labels) > 0 {
		w.report.add(Changed, m.object, m.labelsAt, text, labelText(m.labels))
	}
	if m.sourceNamespace != "" {
		w.report.add(Changed, m.object, m.sourceNamespaceAt, text, "namespace "+m.sourceNamespace)
	}
}

// names reports whether the match takes calls for a host by name.
func (m *match) names(section, host string) bool {
	return section != policy.SectionTLS || slices.ContainsFunc(m.sniHosts, func(name string) bool { return covers(name, host) })
}

// routing returns the VirtualServices that sidecars of a namespace follow for
// a host.
func (w *world) routing(namespace, host, section string) []*virtualService {
	var found []*virtualService
	best := ""
	for _, vs := range w.virtuals {
		if !vs.exports.visible(namespace) || !slices.Contains(vs.gateways, mesh) {
			continue
		}
		name, ok := vs.hostFor(host)
		if !ok {
			continue
		}
		if section == policy.SectionHTTP && len(name) > len(best) {
			found, best = nil, name
		}
		if section != policy.SectionHTTP || len(name) == len(best) {
			found = append(found, vs)
		}
	}
	rank := func(vs *virtualService) int {
		switch {
		case vs.exports.private(vs.object.namespace) && vs.namespace == namespace:
			return 0
		case !vs.exports.all:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b *virtualService) int { return rank(a) - rank(b) })
	return found
}

// hostFor returns the most specific host of a VirtualService that covers a
// host. The host itself is longer than any wildcard that covers it.
func (vs *virtualService) hostFor(host string) (string, bool) {
	best, ok := "", false
	for _, name := range vs.hosts {
		if covers(name, host) && len(name) >= len(best) {
			best, ok = name, true
		}
	}
	return best, ok
}

// entryFor returns the ServiceEntry by which a namespace knows a host: its own,
// else the first that is exported to it, else the oldest public one
// (pilot/pkg/model/sidecar.go, appendSidecarServices).
func (w *world) entryFor(namespace, host string) *serviceEntry {
	var exported, public *serviceEntry
	for _, se := range w.entries {
		if !slices.Contains(se.hosts, host) || !se.exports.visible(namespace) || se.inside {
			continue
		}
		switch {
		case se.namespace == namespace:
			return se
		case !se.exports.all && exported == nil:
			exported = se
		case se.exports.all && public == nil:
			public = se
		}
	}
	if exported != nil {
		return exported
	}
	return public
}

// settingsFor returns the DestinationRule that a client picks for a host: one
// of its own namespace, else of the host's, else of the root namespace
// (pilot/pkg/model/push_context.go, destinationRule). The second result is
// false if the route names a subset that there is not.
func (w *world) settingsFor(client, owner, host string, port int64, subset string) (chosen, bool) {
	for _, namespace := range []string{client, owner, w.options.RootNamespace} {
		var found []*destinationRule
		for _, dr := range w.rules {
			if dr.namespace == namespace && dr.host == host && dr.exports.visible(client) {
				found = append(found, dr)
			}
		}
		// Rules of one namespace merge: their subsets add up.
		for _, dr := range found {
			if c, ok := dr.choose(port, subset); ok {
				return c, true
			}
		}
		if len(found) > 0 {
			return chosen{rule: found[0]}, false
		}
	}
	return chosen{}, subset == ""
}

// shape writes how the host is found: from the ServiceEntry that the caller
// knows, and the one by which whoever is last reaches it. It returns why it
// cannot be written.
func (w *world) shape(f *flow, upstream *serviceEntry, host string) (fields.Field, string) {
	f.to.Hosts = []string{f.host}
	if host != f.host {
		f.to.ResolveTo = &host
	}
	if f.port.protocol == policy.TCP {
		return w.shapeTCP(f, upstream)
	}
	if len(f.entry.addresses) > 0 && !slices.ContainsFunc(f.entry.ports, func(p *servicePort) bool { return p.protocol == policy.TCP }) {
		w.report.add(Changed, f.entry.object, f.entry.addressesAt, "requests and TLS carry the name of the host; the addresses are not declared any more")
	}
	if strings.HasPrefix(f.host, "*") && !f.rest && f.to.ResolveTo == nil && len(upstream.endpoints) != 1 {
		return upstream.resolutionAt, "a policy has a wildcard only with resolve_to, the one host that serves all of its names; list the hosts, or name that one"
	}
	switch upstream.resolution {
	case resolutionDNS, "DNS_ROUND_ROBIN":
		if len(upstream.endpoints) == 0 {
			return fields.Field{}, ""
		}
		if len(upstream.endpoints) > 1 || isAddress(upstream.endpoints[0]) {
			return upstream.endpointsAt, "a policy finds a host by DNS, or one other name of it in resolve_to; addresses are for TCP"
		}
		f.to.ResolveTo = &upstream.endpoints[0]
		return fields.Field{}, ""
	case resolutionNone:
		if f.rest {
			return fields.Field{}, "" // as unselected_workloads = "direct" does
		}
		w.report.add(Changed, upstream.object, upstream.resolutionAt,
			"resolution NONE: today a call goes to whatever address the caller dialled for %s; by the policy it goes where DNS says", host)
		return fields.Field{}, ""
	case resolutionStatic:
		return upstream.endpointsAt, "a policy finds a host of requests or TLS by DNS, not at given addresses; let DNS say them, or name the host that has them in resolve_to"
	}
	return upstream.resolutionAt, fmt.Sprintf("a policy has no resolution %s", upstream.resolution)
}

// shapeTCP writes a host of TCP, which callers know by its addresses alone.
func (w *world) shapeTCP(f *flow, upstream *serviceEntry) (fields.Field, string) {
	addresses := f.entry.addresses
	byAddress := func() (fields.Field, string) {
		f.to.Hosts, f.to.ResolveTo = slices.Clone(addresses), nil
		w.report.add(Changed, f.entry.object, fields.Field{Path: "spec.hosts"},
			"the entry has the addresses as hosts: TCP carries no name, so %s is a name between Istio's objects only", f.host)
		return fields.Field{}, ""
	}
	plain := !slices.ContainsFunc(addresses, func(address string) bool { return !isAddress(address) })
	switch upstream.resolution {
	case resolutionStatic:
		switch {
		case len(addresses) == 0:
			return f.entry.addressesAt, "there are no addresses by which callers know the host; add them"
		case !plain || !sameSet(addresses, upstream.endpoints):
			return upstream.endpointsAt, "calls to the addresses end at other addresses; an entry leads to the address that is called"
		}
		return byAddress()
	case resolutionNone:
		switch {
		case len(addresses) == 0:
			return f.entry.addressesAt, "without addresses this takes every call to the port, wherever it is for; name the addresses"
		case f.via == via{}:
			f.to.Addresses = slices.Clone(addresses)
			return fields.Field{}, ""
		case !plain:
			return f.entry.addressesAt, "a gateway cannot call a range of addresses; list them"
		}
		return byAddress()
	case resolutionDNS:
		f.to.Addresses = slices.Clone(addresses)
		switch {
		case len(upstream.endpoints) > 1 || len(upstream.endpoints) == 1 && isAddress(upstream.endpoints[0]):
			return upstream.endpointsAt, "an entry leads to one name, or to the address that is called"
		case len(upstream.endpoints) == 1:
			f.to.ResolveTo = &upstream.endpoints[0]
		}
		return fields.Field{}, ""
	}
	return upstream.resolutionAt, fmt.Sprintf("a policy has no resolution %s", upstream.resolution)
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func labelText(labels map[string]string) string {
	if len(labels) == 0 {
		return "every workload"
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, key+"="+labels[key])
	}
	return strings.Join(all, ",")
}
