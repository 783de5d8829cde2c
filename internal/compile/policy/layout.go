package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// layout is a policy seen from the side of what is generated: entries by
// name, sources by namespace, servers by container port. Everything in it is
// sorted, so that the order of rules, sources and hosts in the configuration
// does not show in the objects.
type layout struct {
	policy   Policy
	mesh     compile.Mesh
	ref      compile.Reference // zero in a direct policy
	revision string
	entries  []entry
	slots    []slot
}

// entry is one `to` with the sources of its rule.
type entry struct {
	To
	hosts   []string
	sources []From
}

// slot is a container port and the servers that listen on it.
type slot struct {
	ports.Slot
	servers []server
}

// server is one server of a Gateway: all hosts of an HTTP entry, or one host
// of an entry of another protocol.
type server struct {
	entry entry
	// host is empty for all hosts of the entry.
	host  string
	hosts []string
}

func newLayout(p Policy, mesh compile.Mesh) *layout {
	l := &layout{policy: p, mesh: mesh, revision: mesh.Revision}
	if p.ByEgressGateway != nil {
		l.ref = *p.ByEgressGateway
		if l.ref.Revision != nil {
			l.revision = *l.ref.Revision
		}
	}
	if p.Revision != nil {
		l.revision = *p.Revision
	}
	for _, rule := range p.EgressRules {
		sources := slices.Clone(rule.From)
		slices.SortFunc(sources, compareSources)
		for _, to := range rule.To {
			l.entries = append(l.entries, entry{To: to, hosts: distinct(to.Hosts), sources: sources})
		}
	}
	slices.SortFunc(l.entries, func(a, b entry) int { return cmp.Compare(a.Name, b.Name) })
	if !l.direct() {
		l.slots = makeSlots(l.entries)
	}
	return l
}

func (l *layout) direct() bool { return l.policy.ByEgressGateway == nil }

// scope tells apart policies of one name.
func (l *layout) scope() string { return l.ref.Namespace }

// baseLabels are the labels of the ServiceEntries, which are the same in all
// policies.
func (l *layout) baseLabels() map[string]string { return compile.BaseLabels(l.revision) }

// labels are the labels of all other objects.
func (l *layout) labels() map[string]string {
	labels := l.baseLabels()
	labels[compile.LabelPolicy] = l.policy.Name
	return labels
}

// namespaces returns the source namespaces of the policy.
func (l *layout) namespaces() []string {
	var all []string
	for _, e := range l.entries {
		all = append(all, e.namespaces()...)
	}
	return distinct(all)
}

// hostsFrom returns the hosts that a source namespace has an entry for.
func (l *layout) hostsFrom(namespace string) []string {
	var all []string
	for _, e := range l.entriesFrom(namespace) {
		all = append(all, e.hosts...)
	}
	return distinct(all)
}

// entriesFrom returns the entries that a source namespace is granted.
func (l *layout) entriesFrom(namespace string) []entry {
	var granted []entry
	for _, e := range l.entries {
		if slices.Contains(e.namespaces(), namespace) {
			granted = append(granted, e)
		}
	}
	return granted
}

// namespaces returns the source namespaces of an entry.
func (e entry) namespaces() []string {
	var all []string
	for _, source := range e.sources {
		all = append(all, source.Namespace)
	}
	return distinct(all)
}

// selectors returns the label selectors of an entry's sources in a namespace,
// those with most labels first. An empty one selects every workload.
func (e entry) selectors(namespace string) []map[string]string {
	var all []map[string]string
	for _, source := range e.sources {
		if source.Namespace == namespace {
			all = append(all, source.WorkloadSelector)
		}
	}
	slices.SortStableFunc(all, func(a, b map[string]string) int { return cmp.Compare(len(b), len(a)) })
	return slices.CompactFunc(all, maps.Equal[map[string]string, map[string]string])
}

// upgraded reports whether the gateway turns the entry's requests into TLS.
func (e entry) upgraded() bool { return e.HTTPSUpgrade != nil && e.HTTPSUpgrade.Enabled }

// upstreamHost returns the name of the ServiceEntry through which the gateway
// reaches a host of the entry.
func (e entry) upstreamHost(host string) string {
	if e.ResolveTo != nil {
		return *e.ResolveTo
	}
	return MeshHost(host)
}

// upstreamPort returns the port that the gateway dials, and the protocol that
// the upstream ServiceEntry gives it.
func (e entry) upstreamPort() (number int64, protocol string) {
	switch {
	case e.upgraded() && e.Port.Protocol == HTTP:
		return e.HTTPSUpgrade.Port, HTTPS
	case e.upgraded():
		// HTTP/2 has to be said: an HTTPS port gets HTTP/1.1 over TLS.
		return e.HTTPSUpgrade.Port, e.Port.Protocol
	case e.Port.Protocol == TLSSNI:
		// The gateway treats both alike, and two policies may use either.
		return e.Port.Number, HTTPS
	default:
		return e.Port.Number, e.Port.Protocol
	}
}

func compareSources(a, b From) int {
	return cmp.Or(
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(selectorText(a.WorkloadSelector), selectorText(b.WorkloadSelector)),
		cmp.Compare(strings.Join(distinct(a.ServiceAccounts), ","), strings.Join(distinct(b.ServiceAccounts), ",")),
	)
}

// selectorText writes labels as `a=b,c=d` in the order of their keys.
func selectorText(labels map[string]string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return strings.Join(pairs, ",")
}

// distinct returns the sorted distinct values of a list.
func distinct(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}
