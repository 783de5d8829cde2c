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
	requests := section(f.port.protocol) == sectionHTTP
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
	if !m.named || r.section != sectionHTTP {
		if len(m.labels) > 0 {
			return nil, nil, nil, stopAt(m.object, m.labelsAt, "on the gateway these are labels of the gateway's own pods; a policy has no such condition")
		}
		if m.sourceNamespace != "" {
			return nil, nil, nil, stopAt(m.object, m.sourceNamespaceAt, "on the gateway this is the gateway's own namespace; a policy has no such condition")
		}
	}
	wanted := map[string][]string{
		sectionHTTP: {"HTTP", "HTTP2", "GRPC", "HTTPS"}, sectionTLS: {"TLS", "HTTPS"}, sectionTCP: {"TCP", "TLS", "MONGO"},
	}[section(f.port.protocol)]
	if !slices.Contains(wanted, s.protocol) {
		return nil, nil, nil, stopAt(s.object, s.at, "a server of protocol %s does not take what sidecars send for %s of protocol %s", s.protocol, f.host, f.port.protocol)
	}
	return s, r, m, nil
}

// onward returns the first route that takes calls for the flow's host from a
// server further.
func (w *world) onward(f *flow, s *server) (*route, *match) {
	sections := []string{section(f.port.protocol)}
	if sections[0] == sectionTLS && s.terminates() {
		// The sidecar's TLS ends here; what is inside is bytes.
		sections[0] = sectionTCP
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
	if section != sectionTCP {
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

// requests writes timeout and retries. The gateway has them in a policy.
func (w *world) requests(f *flow, sidecar, onward *route) *stop {
	if section(f.port.protocol) != sectionHTTP {
		return nil
	}
	for _, r := range []*route{onward, sidecar} {
		if r.timeout != nil {
			if f.to.Timeout == nil {
				f.to.Timeout = r.timeout
			} else if *f.to.Timeout != *r.timeout {
				return stopAt(r.object, r.timeoutAt, "sidecar and gateway have two timeouts; an entry has one, at the gateway")
			}
		}
		if r.retries == nil || r == sidecar && r.retries.Attempts == 0 {
			continue // of a policy the sidecars never retry, the gateway does
		}
		if f.to.Retries != nil && key(f.to.Retries) != key(r.retries) {
			return stopAt(r.object, r.retriesAt, "sidecar and gateway both retry, and in two ways; an entry has one, at the gateway")
		}
		f.to.Retries = r.retries
	}
	return nil
}

// upstream follows the route of the gateway to the host.
func (w *world) upstream(f *flow, r *route) *stop {
	host := r.to.host
	se := w.entryFor(f.via.namespace, host)
	if se == nil {
		return failsAt(r.object, r.to.at, "no ServiceEntry that the gateway's namespace %s knows declares %s", f.via.namespace, host)
	}
	port := se.port(r.to.port)
	if port == nil {
		return stopAt(r.object, r.to.at, "the gateway calls port %d of %s, which %s does not declare", r.to.port, host, se.id())
	}
	f.parts = append(f.parts, se.head, port.part)
	for _, p := range []*part{se.head, port.part} {
		if len(p.blocked) > 0 {
			return w.blocked(p, p.blocked)
		}
	}
	set, ok := w.settingsFor(f.via.namespace, se.namespace, host, port.number, r.to.subset)
	if !ok {
		return failsAt(r.object, r.to.at, "no DestinationRule that the gateway picks has subset %q of %s", r.to.subset, host)
	}
	f.parts = append(f.parts, set.parts...)
	for _, p := range set.parts {
		if len(p.blocked) > 0 {
			return w.blocked(p, p.blocked)
		}
	}
	if at, why := w.shape(f, se, host); why != "" {
		return stopAt(se.object, at, "%s", why)
	}
	if set.tls != nil && set.tls.mode != modeDisable {
		return w.upgrade(f, set, port)
	}
	switch {
	case port.target != f.port.number:
		return stopAt(r.object, r.to.at, "callers dial port %d of %s and the gateway port %d without TLS; an entry has one port for both", f.port.number, f.host, port.target)
	case section(port.protocol) != section(f.port.protocol):
		return stopAt(port.object, port.at, "callers send %s and the gateway passes it on as %s", f.port.protocol, port.protocol)
	}
	return nil
}

// port returns a port by its number; the only one if the number is 0.
func (se *serviceEntry) port(number int64) *servicePort {
	for _, p := range se.ports {
		if p.number == number || number == 0 && len(se.ports) == 1 {
			return p
		}
	}
	return nil
}

// upgrade writes the TLS that the gateway begins.
func (w *world) upgrade(f *flow, set chosen, port *servicePort) *stop {
	t := set.tls
	at := func(format string, args ...any) *stop { return stopAt(set.rule.object, t.at, format, args...) }
	switch {
	case section(f.port.protocol) != sectionHTTP:
		return at("the gateway begins TLS for what is no request (%s); a policy does so for requests only", f.port.protocol)
	case t.mode != modeSimple && t.mode != modeMutual:
		return at("the gateway speaks TLS of mode %s with the host; https_upgrade has SIMPLE and MUTUAL", t.mode)
	case len(t.files) > 0:
		for _, file := range t.files {
			w.report.add(LeftOut, set.rule.object, file, "%s is a file in the gateway's pods; a policy has certificates from a Secret", file.Node.Value)
		}
		return at("put the files into a Secret in the gateway's namespace, name it in credentialName here, and adopt again")
	}
	f.to.HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: port.target}
	settings := &policy.TLS{Mode: t.mode, CredentialName: t.credential, SubjectAltNames: t.names}
	if t.unverified() {
		settings.InsecureSkipVerify = t.skip
	}
	named := f.host
	if f.to.ResolveTo != nil {
		named = *f.to.ResolveTo
	}
	switch {
	case t.sni == nil && len(t.names) > 0:
		// The name that is asked for is then the host's.
		settings.SNI = &named
	case t.sni == nil || *t.sni == f.host && len(t.names) == 0:
		if t.sni != nil && settings.InsecureSkipVerify == nil {
			w.report.add(Changed, set.rule.object, t.at, "with a server name alone Istio checks no name in the server's certificate; the policy checks that it is for %s", f.host)
		}
	default:
		settings.SNI = t.sni
		if len(t.names) == 0 && settings.InsecureSkipVerify == nil {
			settings.SubjectAltNames = []string{*t.sni}
			w.report.add(Changed, set.rule.object, t.at, "with a server name alone Istio checks no name in the server's certificate; the policy checks that it is for %s", *t.sni)
		}
	}
	if settings.Mode != modeSimple || settings.CredentialName != nil || settings.SNI != nil || len(settings.SubjectAltNames) > 0 || settings.InsecureSkipVerify != nil {
		f.to.TLS = settings
	}
	if settings.CredentialName != nil {
		w.report.add(Changed, set.rule.object, t.at, "Secret %q has to be in the namespace of the new gateway, %s", *settings.CredentialName, w.options.GatewayNamespace)
	}
	return nil
}

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

// admitted finds out whom the gateway's AuthorizationPolicies let through.
func (w *world) admitted(f *flow, svc *service, s *server, sni string) *stop {
	pods := s.gateway.selector
	if svc != nil {
		pods = w.podLabels(svc)
	}
	requests := section(f.port.protocol) == sectionHTTP
	var asked, hit bool
	var anybody bool
	for _, ap := range w.authz {
		if ap.namespace != f.via.namespace && ap.namespace != w.options.RootNamespace || !selects(ap.selector, pods) {
			continue
		}
		ap.egress, ap.head.used = true, true
		if len(ap.head.blocked) > 0 {
			return w.blocked(ap.head, ap.head.blocked)
		}
		switch ap.action {
		case "AUDIT":
			w.report.add(Stays, ap.object, fields.Field{Path: "spec.action"}, "it logs and admits or refuses nobody")
			continue
		case "ALLOW":
		default:
			for _, r := range ap.rules {
				r.used = true
			}
			return stopAt(ap.object, fields.Field{Path: "spec.action"}, "%s on the gateway's pods may refuse calls; a policy says whom it admits, not whom it refuses. "+
				"Write what is left by hand", ap.action)
		}
		asked = true
		for _, r := range ap.rules {
			if !r.hits(f.host, s, requests, sni) {
				continue
			}
			f.parts = append(f.parts, r.part)
			if len(r.blocked) > 0 {
				r.used = true
				for _, problem := range r.blocked {
					w.report.put(r.finding(LeftOut, problem))
				}
				continue
			}
			if len(r.callers) == 0 {
				anybody = true
			}
			for _, c := range r.callers {
				if c.namespace != f.namespace || !s.terminates() {
					continue
				}
				hit = true
				if c.account == "" {
					anybody = true
				} else if !slices.Contains(f.accounts, c.account) {
					f.accounts = append(f.accounts, c.account)
				}
			}
		}
	}
	if anybody {
		f.accounts = nil
	}
	if len(s.callers) > 0 {
		// The handshake comes first; who gets through both is left.
		var through []string
		for _, c := range s.callers {
			if c.namespace == f.namespace && (!asked || anybody || slices.Contains(f.accounts, c.account)) {
				through = append(through, c.account)
			}
		}
		slices.Sort(through)
		f.accounts = slices.Compact(through)
		if len(f.accounts) == 0 {
			return failsAt(s.object, s.tlsAt, "no service account of namespace %s gets through the handshake", f.namespace)
		}
		return nil
	}
	if asked && !anybody && !hit {
		return failsAt(s.object, s.at, "no AuthorizationPolicy on the gateway's pods admits callers of namespace %s to %s", f.namespace, f.host)
	}
	slices.Sort(f.accounts)
	return nil
}
