package adopt

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// flows returns all ways out that can be expressed, and reports the others.
func (w *world) flows() []*flow {
	var all []*flow
	for _, se := range w.entries {
		if se.inside {
			continue
		}
		se.egress = true
		w.goThrough(se.head)
		for _, host := range se.hosts {
			namespaces := w.sources(se, host)
			for _, namespace := range namespaces {
				all = append(all, w.from(se, host, namespace)...)
			}
		}
		if len(se.head.blocked) > 0 {
			for _, problem := range se.head.blocked {
				problem.Text = strings.Join(se.hosts, ", ") + ": " + problem.Text
				w.report.put(se.finding(LeftOut, problem))
			}
		}
	}
	for _, vs := range w.virtuals {
		for _, host := range vs.hosts {
			all = append(all, w.wildcard(vs, host)...)
		}
	}
	return w.oneWay(all)
}

// from returns the ways from a namespace to a host.
func (w *world) from(se *serviceEntry, host, namespace string) []*flow {
	if w.entryFor(namespace, host) != se {
		return nil // another ServiceEntry describes the host there
	}
	if len(se.head.blocked) > 0 || !w.known(se, host, namespace) {
		return nil
	}
	var all []*flow
	for _, port := range se.ports {
		if len(port.blocked) > 0 {
			w.leftOut(w.blocked(port.part, port.blocked), host, port.number, namespace)
			continue
		}
		all = append(all, w.calls(se, host, port, namespace)...)
	}
	w.partly(all, se, host, namespace)
	return all
}

// partly says what it means that a policy has some ports of a host and not
// others.
func (w *world) partly(all []*flow, se *serviceEntry, host, namespace string) {
	for _, port := range se.ports {
		if len(all) > 0 && !slices.ContainsFunc(all, func(f *flow) bool { return f.port == port }) && !w.failing[wayKey(host, port.number, namespace)] && !w.covered(se, host, port, namespace) {
			w.report.add(Changed, port.object, port.at, "a policy has %s for namespace %s, and not its port %d: once it is applied, nobody there reaches that port", host, namespace, port.number)
		}
	}
}

// covered reports whether a wildcard has the way to a port.
func (w *world) covered(se *serviceEntry, host string, port *servicePort, namespace string) bool {
	return slices.ContainsFunc(w.ways(namespace, host, se, port), func(b branch) bool {
		if b.route == nil {
			return false
		}
		name, _ := b.route.vs.hostFor(host)
		return name != host
	})
}

// calls returns the ways from a namespace to a port of a host.
func (w *world) calls(se *serviceEntry, host string, port *servicePort, namespace string) []*flow {
	var all []*flow
	var lost []branch
	led := false
	for _, b := range w.ways(namespace, host, se, port) {
		f := &flow{
			namespace: namespace, labels: b.labels, entry: se, port: port, host: host, route: b.route, rest: b.route == nil && len(all) > 0,
			to:    policy.To{Port: policy.Port{Name: strings.ToLower(port.name), Number: port.number, Protocol: port.protocol}},
			parts: []*part{se.head, port.part},
		}
		if b.route != nil {
			if name, _ := b.route.vs.hostFor(host); name != host {
				// The wildcard has a way of its own, which takes this host too.
				w.goThrough(f.parts...)
				led = true
				continue
			}
		}
		stopped := w.follow(f, b)
		if stopped == nil && slices.ContainsFunc(lost, func(before branch) bool { return overlap(before.labels, b.labels) }) {
			stopped = stopAt(f.rule(), f.place(), "a route before it takes a part of these calls in a way that no policy has")
		}
		if stopped != nil {
			w.leftOut(stopped, host, port.number, namespace)
			w.goThrough(f.parts...)
			lost = append(lost, b)
			led = true
			continue
		}
		if b.route == nil && len(all) > 0 {
			// The rest of the workloads: they are not selected.
			for _, selected := range all {
				selected.unselected = selected.via != via{}
			}
			w.report.add(Changed, all[0].route.object, all[0].place(),
				`workloads of namespace %s that are not selected here reach %s:%d directly, past the gateway. The policy keeps that by unselected_workloads = "direct"; take it out to refuse them`,
				namespace, host, port.number)
			continue
		}
		if b.route == nil && led && len(lost) > 0 {
			continue
		}
		w.goThrough(f.parts...)
		all = append(all, f)
	}
	return all
}

// rule and place are where a way was chosen.
func (f *flow) rule() *object {
	if f.route != nil {
		return f.route.object
	}
	return f.entry.object
}

func (f *flow) place() fields.Field {
	if f.route != nil {
		return f.route.at
	}
	return f.port.at
}

// follow finds out where a branch leads.
func (w *world) follow(f *flow, b branch) *stop {
	if b.route == nil {
		return w.direct(f, nil)
	}
	f.parts = append(f.parts, b.route.part, b.match.part)
	if why := b.route.blocks(b.match); len(why) > 0 {
		return w.blocked(b.route.part, why)
	}
	to := b.route.to
	if to.host == f.host {
		return w.direct(f, b.route)
	}
	name, namespace, ok := serviceOf(to.host)
	if !ok {
		return stopAt(b.route.object, to.at, "calls to %s are led to %s, which is no gateway; a policy leads them to the host itself", f.host, to.host)
	}
	f.via = via{name, namespace}
	return w.through(f, b)
}

// direct follows a call that the sidecar sends to the host itself.
func (w *world) direct(f *flow, r *route) *stop {
	subset := ""
	if r != nil {
		subset = r.to.subset
		if r.to.port != 0 && r.to.port != f.port.number {
			return stopAt(r.object, r.to.at, "calls to port %d are sent to port %d; a policy keeps the port", f.port.number, r.to.port)
		}
		w.report.add(Stays, r.object, r.at, "a direct policy writes no VirtualService; this one goes on acting, where it is visible")
	}
	set, ok := w.settingsFor(f.namespace, f.entry.namespace, f.host, f.port.number, subset)
	if !ok {
		return failsAt(r.object, r.to.at, "no DestinationRule has subset %q of %s", subset, f.host)
	}
	f.parts = append(f.parts, set.parts...)
	for _, p := range set.parts {
		if len(p.blocked) > 0 {
			return w.blocked(p, p.blocked)
		}
	}
	if set.tls != nil && set.tls.mode != modeDisable {
		return stopAt(set.rule.object, set.tls.at,
			"the sidecar begins TLS of mode %s to port %d; in a policy the gateway does: write an entry with https_upgrade and by_egress_gateway", set.tls.mode, f.port.target)
	}
	if set.rule != nil {
		w.report.add(Stays, set.rule.object, fields.Field{}, "a direct policy writes no DestinationRule; this one goes on acting for namespaces that pick it")
	}
	if f.port.target != f.port.number {
		return stopAt(f.port.object, f.port.at, "calls to port %d arrive at port %d; a policy keeps the port", f.port.number, f.port.target)
	}
	if f.entry.resolution == resolutionStatic && len(f.entry.endpoints) == 0 {
		return failsAt(f.entry.object, f.entry.resolutionAt, "STATIC without endpoints is a dead end for whom no route selects")
	}
	if at, why := w.shape(f, f.entry, f.host); why != "" {
		return stopAt(f.entry.object, at, "%s", why)
	}
	return nil
}

// wildcard returns the ways to a wildcard of a VirtualService that no
// ServiceEntry declares. Sidecars know it because they know a host that it
// covers, and send all its names there.
func (w *world) wildcard(vs *virtualService, host string) []*flow {
	if !strings.HasPrefix(host, "*") || w.declared(host) {
		return nil
	}
	var all []*flow
	for _, r := range vs.routes {
		for _, m := range r.matches {
			if r.section != policy.SectionTLS || !slices.Contains(vs.gateways, mesh) || !slices.Contains(m.gateways, mesh) || r.to == nil || m.port == 0 {
				continue
			}
			covered := w.coveredBy(host, m.port)
			if covered == nil {
				continue
			}
			namespaces := vs.exports.to
			if vs.exports.all {
				namespaces = slices.Concat(namespaces, w.openTo(vs.object, host))
			}
			port := &servicePort{part: covered.part, number: m.port, target: m.port, name: "tls", protocol: policy.TLSSNI}
			for _, namespace := range namespaces {
				all = append(all, w.calls(covered.entry(w), host, port, namespace)...)
			}
		}
	}
	return all
}

func (w *world) declared(host string) bool {
	return slices.ContainsFunc(w.entries, func(se *serviceEntry) bool { return !se.inside && slices.Contains(se.hosts, host) })
}

// coveredBy returns a port of TLS that a host covered by a wildcard has.
func (w *world) coveredBy(wildcard string, number int64) *servicePort {
	for _, se := range w.entries {
		if se.inside || !slices.ContainsFunc(se.hosts, func(host string) bool { return covers(wildcard, host) }) {
			continue
		}
		if p := se.port(number); p != nil && policy.Section(p.protocol) == policy.SectionTLS {
			return p
		}
	}
	return nil
}

func (p *servicePort) entry(w *world) *serviceEntry {
	i := slices.IndexFunc(w.entries, func(se *serviceEntry) bool { return se.object == p.object })
	return w.entries[i]
}

// oneWay leads ports that are called directly through the gateway where
// another port of the host goes there: a host has one ServiceEntry in a
// namespace, which is a dead end or is not.
func (w *world) oneWay(all []*flow) []*flow {
	var kept []*flow
	for _, f := range all {
		if f.via == (via{}) {
			i := slices.IndexFunc(all, func(other *flow) bool {
				return other.namespace == f.namespace && other.host == f.host && other.via != via{}
			})
			switch {
			case i >= 0:
				w.report.add(Changed, f.port.object, f.port.at, "port %d of %s is called directly today, and another port through the gateway %s/%s. "+
					"A policy leads all ports of a host one way in a namespace: through the gateway", f.port.number, f.host, all[i].via.namespace, all[i].via.name)
				f.via, f.route = all[i].via, all[i].route
			case len(f.labels) > 0:
				w.leftOut(stopAt(f.rule(), f.place(), "only workloads %s are led directly; a direct policy is for all workloads of its namespaces", labelText(f.labels)), f.host, f.port.number, f.namespace)
				continue
			}
		}
		kept = append(kept, f)
	}
	// All ports of a host say the same of those who are not selected.
	for _, f := range kept {
		if f.unselected {
			for _, other := range kept {
				if other.namespace == f.namespace && other.host == f.host {
					other.unselected = true
				}
			}
		}
	}
	return kept
}

// leftOut reports a way that no policy has.
func (w *world) leftOut(s *stop, host string, port int64, namespace string) {
	s.object.egress = true
	if s.effect == Fails {
		w.failing[wayKey(host, port, namespace)] = true
	}
	w.report.add(s.effect, s.object, s.at, "%s:%d from namespace %s: %s", host, port, namespace, s.why)
}

// wayKey tells ways apart.
func wayKey(host string, port int64, namespace string) string {
	return fmt.Sprintf("%s:%d %s", host, port, namespace)
}

// overlap reports whether a workload can have the labels of both.
func overlap(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return false
		}
	}
	return true
}

// lineNode carries a line to a field that is made from a problem.
func lineNode(line int) *yaml.Node { return &yaml.Node{Line: line} }

func itoa(number int64) string { return fmt.Sprint(number) }
