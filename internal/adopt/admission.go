package adopt

import (
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// admission is what is known of who gets through a gateway's pods.
type admission struct {
	asked   bool // an ALLOW policy selects the pods
	anybody bool // of the flow's namespace
	// accounts are those of the flow's namespace, where not anybody.
	accounts []string
}

// admitted finds out which callers of a flow the gateway lets through: by its
// AuthorizationPolicies, and in the handshake.
func (w *world) admitted(f *flow, svc *service, s *server, sni string) *stop {
	pods := s.gateway.selector
	if svc != nil {
		pods = w.podLabels(svc)
	}
	var a admission
	for _, ap := range w.authz {
		if ap.namespace != f.via.namespace && ap.namespace != w.options.RootNamespace || !selects(ap.selector, pods) {
			continue
		}
		if stopped := w.ask(ap, f, s, sni, &a); stopped != nil {
			return stopped
		}
	}
	a.anybody = a.anybody || !a.asked
	if len(s.callers) > 0 {
		// Who gets through both is left.
		var through []string
		for _, c := range s.callers {
			if c.namespace == f.namespace && (a.anybody || slices.Contains(a.accounts, c.account)) {
				through = append(through, c.account)
			}
		}
		a.anybody, a.accounts = false, through
	}
	if a.anybody {
		return nil
	}
	if len(a.accounts) == 0 {
		return failsAt(s.object, s.at, "neither the handshake nor an AuthorizationPolicy on the gateway's pods lets callers of namespace %s through to %s", f.namespace, f.host)
	}
	slices.Sort(a.accounts)
	f.accounts = slices.Compact(a.accounts)
	return nil
}

// ask adds whom one AuthorizationPolicy on the gateway's pods admits.
func (w *world) ask(ap *authorizationPolicy, f *flow, s *server, sni string, a *admission) *stop {
	ap.egress, ap.head.used = true, true
	if len(ap.head.blocked) > 0 {
		return w.blocked(ap.head, ap.head.blocked)
	}
	switch ap.action {
	case "ALLOW":
	case "AUDIT":
		w.report.add(Stays, ap.object, fields.Field{Path: "spec.action"}, "it logs, and admits or refuses nobody")
		return nil
	default:
		for _, r := range ap.rules {
			r.used = true
		}
		return stopAt(ap.object, fields.Field{Path: "spec.action"}, "%s on the gateway's pods may refuse calls; a policy says whom it admits, not whom it refuses. "+
			"Write what is left by hand", ap.action)
	}
	a.asked = true
	for _, r := range ap.rules {
		if !r.hits(f.host, s, policy.Section(f.port.protocol) == policy.SectionHTTP, sni) {
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
		a.anybody = a.anybody || len(r.callers) == 0
		for _, c := range r.callers {
			switch {
			case c.namespace != f.namespace || !s.terminates():
			case c.account == "":
				a.anybody = true
			default:
				a.accounts = append(a.accounts, c.account)
			}
		}
	}
	return nil
}
