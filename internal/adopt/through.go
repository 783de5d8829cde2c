package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// stop says where a way out ends for the policies, and why.
type stop struct {
	object *object
	at     fields.Field
	why    string
	effect Effect
}

func stopAt(o *object, at fields.Field, format string, args ...any) *stop {
	return &stop{o, at, fmt.Sprintf(format, args...), LeftOut}
}

// failsAt is for what does not work today either.
func failsAt(o *object, at fields.Field, format string, args ...any) *stop {
	return &stop{o, at, fmt.Sprintf(format, args...), Fails}
}

// through follows a call from the sidecar through the gateway to the host and
// writes the flow's entry on the way.
func (w *world) through(f *flow, b branch) *stop {
	to := b.route.to
	svc := w.service(f.via)
	port, stopped := portOf(b.route, to, svc)
	if stopped != nil {
		return stopped
	}
	spoken, stopped := w.leg(f, b.route, port)
	if stopped != nil {
		return stopped
	}
	s, onward, m, stopped := w.arrival(f, b.route, svc, port, spoken)
	if stopped != nil {
		return stopped
	}
	f.parts = append(f.parts, s.part, onward.part, m.part, s.gateway.head)
	if stopped := w.admitted(f, svc, s, spoken.sni); stopped != nil {
		return stopped
	}
	if stopped := w.requests(f, b.route, onward); stopped != nil {
		return stopped
	}
	return w.upstream(f, onward)
}

// portOf returns the port of the gateway's Service that a route leads to.
func portOf(r *route, to *destination, svc *service) (int64, *stop) {
	switch {
	case to.port != 0:
		return to.port, nil
	case svc != nil && len(svc.ports) == 1:
		return svc.ports[0].port, nil
	}
	return 0, stopAt(r.object, to.at, "the route names no port of %s, which may have several", to.host)
}

func (w *world) service(v via) *service {
	for _, svc := range w.services {
		if svc.name == v.name && svc.namespace == v.namespace {
			return svc
		}
	}
	return nil
}

// podLabels are those of the pods behind a gateway's Service.
func (w *world) podLabels(svc *service) map[string]string {
	if d := w.deploymentOf(svc); d != nil {
		return d.labels
	}
	return svc.selector
}

func (w *world) deploymentOf(svc *service) *deployment {
	if svc == nil {
		return nil
	}
	for _, d := range w.workload {
		if d.namespace == svc.namespace && len(svc.selector) > 0 && selects(svc.selector, d.labels) {
			return d
		}
	}
	return nil
}

// arrival finds the server on the gateway's pods at which a call arrives, and
// the route that takes it further.
func (w *world) arrival(f *flow, from *route, svc *service, port int64, spoken leg) (*server, *route, *match, *stop) {
	numbers := []int64{port}
	if svc != nil {
		for _, p := range svc.ports {
			if p.port == port {
				numbers = append(numbers, p.target)
			}
		}
	}
	var refused *stop
	for _, g := range w.gateways {
		if svc != nil && !selects(g.selector, w.podLabels(svc)) {
			continue
		}
		for _, s := range g.servers {
			if !slices.Contains(numbers, s.number) {
				continue
			}
			why := s.takes(f, spoken)
			if why != nil {
				if s.serves(f.host) || refused == nil && spoken.mutual && s.serves(spoken.sni) {
					refused = why
				}
				continue
			}
			if r, m := w.onward(f, s); r != nil {
				if svc == nil {
					w.report.add(Changed, from.object, from.to.at,
						"Service %s/%s is not among the objects; it is taken to lead to the pods that %s selects (%s)", f.via.namespace, f.via.name, g.id(), labelText(g.selector))
				}
				return w.arrived(f, s, r, m)
			}
			refused = failsAt(s.object, s.at, "no VirtualService takes calls for %s further from here", f.host)
		}
	}
	if refused != nil {
		return nil, nil, nil, refused
	}
	return nil, nil, nil, stopAt(from.object, from.to.at, "no Gateway opens port %d of %s for %s among the objects that were read", port, from.to.host, f.host)
}

// takes returns why a server does not take a call. A server that ends mutual
// TLS goes by the server name of that, any other one of TLS by the host's; one
// of requests looks at their host too, one of plain TCP at nothing
// (pilot/pkg/networking/core/gateway.go, createGatewayTCPFilterChainOpts).
func (s *server) takes(f *flow, spoken leg) *stop {
	requests := policy.Section(f.port.protocol) == policy.SectionHTTP
	switch {
	case spoken.mutual != s.terminates():
		return failsAt(s.object, s.tlsAt, "the server wants mutual TLS (%t) and sidecars speak it (%t)", s.terminates(), spoken.mutual)
	case spoken.mutual && !s.serves(spoken.sni):
		return failsAt(s.object, s.at, "sidecars send the server name %q, and the server has other hosts", spoken.sni)
	case (requests || s.tls == modePassthrough) && !s.serves(f.host):
		return failsAt(s.object, s.at, "the server is not for %s", f.host)
	}
	return nil
}

// arrived checks a server and the route behind it.
func (w *world) arrived(f *flow, s *server, r *route, m *match) (*server, *route, *match, *stop) {
	for _, p := range []*part{s.part, r.part, m.part, s.head, r.head} {
		if len(p.blocked) > 0 {
			return nil, nil, nil, w.blocked(p, p.blocked)
		}
	}
	if !m.named || r.section != policy.SectionHTTP {
		if len(m.labels) > 0 {
			return nil, nil, nil, stopAt(m.object, m.labelsAt, "on the gateway these are labels of the gateway's own pods; a policy has no such condition")
		}
		if m.sourceNamespace != "" {
			return nil, nil, nil, stopAt(m.object, m.sourceNamespaceAt, "on the gateway this is the gateway's own namespace; a policy has no such condition")
		}
	}
	wanted := map[string][]string{
		policy.SectionHTTP: {"HTTP", "HTTP2", "GRPC", "HTTPS"}, policy.SectionTLS: {"TLS", "HTTPS"}, policy.SectionTCP: {"TCP", "TLS", "MONGO"},
	}[policy.Section(f.port.protocol)]
	if !slices.Contains(wanted, s.protocol) {
		return nil, nil, nil, stopAt(s.object, s.at, "a server of protocol %s does not take what sidecars send for %s of protocol %s", s.protocol, f.host, f.port.protocol)
	}
	return s, r, m, nil
}

// onward returns the first route that takes calls for the flow's host from a
// server further.
func (w *world) onward(f *flow, s *server) (*route, *match) {
	sections := []string{policy.Section(f.port.protocol)}
	if sections[0] == policy.SectionTLS && s.terminates() {
		// The sidecar's TLS ends here; what is inside is bytes.
		sections[0] = policy.SectionTCP
	}
	for _, vs := range w.virtuals {
		if !slices.Contains(vs.gateways, s.gateway.ref()) || !vs.behind(s, f.host, sections[0]) {
			continue
		}
		for _, r := range vs.routes {
			if !slices.Contains(sections, r.section) {
				continue
			}
			for _, m := range r.matches {
				if slices.Contains(m.gateways, s.gateway.ref()) && (m.port == 0 || m.port == s.number) && m.names(r.section, f.host) {
					return r, m
				}
			}
		}
	}
	return nil, nil
}

// behind reports whether a VirtualService is for what arrives at a server: for
// the host, where that is told, else for one of the server's hosts.
func (vs *virtualService) behind(s *server, host, section string) bool {
	if section != policy.SectionTCP {
		_, ok := vs.hostFor(host)
		return ok
	}
	return slices.ContainsFunc(vs.hosts, func(own string) bool {
		return slices.ContainsFunc(s.hosts, func(served string) bool { return covers(own, served) || covers(served, own) })
	})
}

func (g *gateway) ref() string { return g.namespace + "/" + g.name }

// leg is what sidecars speak with the gateway.
type leg struct {
	mutual bool
	sni    string
}

// leg returns what the sidecars of a namespace speak with the gateway.
func (w *world) leg(f *flow, r *route, port int64) (leg, *stop) {
	set, ok := w.settingsFor(f.namespace, f.via.namespace, r.to.host, port, r.to.subset)
	if !ok {
		return leg{}, failsAt(r.object, r.to.at, "no DestinationRule that sidecars of namespace %s pick has subset %q of %s", f.namespace, r.to.subset, r.to.host)
	}
	f.parts = append(f.parts, set.parts...)
	for _, p := range set.parts {
		if len(p.blocked) > 0 {
			return leg{}, w.blocked(p, p.blocked)
		}
	}
	t := set.tls
	if t == nil || t.mode == modeDisable {
		return leg{sni: f.host}, nil
	}
	// The names that they look for in the gateway's certificate are the
	// gateway's own business: a policy has them checked anyway.
	if t.mode != modeIstioMutual && !t.oldMutual() || t.credential != nil || t.unverified() {
		return leg{}, stopAt(set.rule.object, t.at, "sidecars speak TLS of mode %s with the gateway; with a gateway of this provider they speak the mesh's own", t.mode)
	}
	spoken := leg{mutual: true}
	if t.sni != nil {
		spoken.sni = strings.ToLower(*t.sni)
	}
	return spoken, nil
}

// oldMutual reports whether MUTUAL is meant as ISTIO_MUTUAL.
func (t *clientTLS) oldMutual() bool {
	return t.mode == modeMutual && len(t.files) == 3 && !slices.ContainsFunc(t.files, func(f fields.Field) bool {
		return !strings.HasPrefix(*f.Text(), meshCertificates)
	})
}

// unverified reports whether any certificate will do.
func (t *clientTLS) unverified() bool { return t.skip != nil && *t.skip }

// blocked is the stop at a part that is not understood. Every reason is
// reported; the last one ends the way.
func (w *world) blocked(p *part, why fields.Problems) *stop {
	p.egress = true
	for _, problem := range why[:len(why)-1] {
		w.report.put(p.finding(LeftOut, problem))
	}
	last := why[len(why)-1]
	return &stop{p.object, fields.Field{Path: last.Path, Node: lineNode(last.Line)}, last.Text, LeftOut}
}
