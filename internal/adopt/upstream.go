package adopt

import (
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// requests writes timeout and retries. The gateway has them in a policy.
func (w *world) requests(f *flow, sidecar, onward *route) *stop {
	if policy.Section(f.port.protocol) != policy.SectionHTTP {
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
	case policy.Section(port.protocol) != policy.Section(f.port.protocol):
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
	case policy.Section(f.port.protocol) != policy.SectionHTTP:
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
