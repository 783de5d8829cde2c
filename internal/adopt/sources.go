package adopt

import (
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// sources returns the namespaces whose calls to a host are looked at: those to
// which something on the way is exported by name, and for the rest those of
// the options.
func (w *world) sources(se *serviceEntry, host string) []string {
	named := slices.Clone(se.exports.to)
	gateways, guarded := w.guards(se, host)
	named = append(named, guarded...)
	open := se.exports.all && len(guarded) == 0
	for _, vs := range w.virtuals {
		if _, ok := vs.hostFor(host); !ok || !slices.Contains(vs.gateways, mesh) {
			continue
		}
		if !vs.exports.all {
			named = append(named, vs.exports.to...)
		}
		for _, r := range vs.routes {
			for _, m := range r.matches {
				if m.sourceNamespace != "" && !(r.section == policy.SectionHTTP && m.named) {
					named = append(named, m.sourceNamespace)
				}
			}
		}
	}
	if open {
		named = append(named, w.openTo(se.object, host)...)
	}
	slices.Sort(named)
	named = slices.Compact(named)
	return slices.DeleteFunc(named, func(namespace string) bool {
		if !slices.Contains(gateways, namespace) || slices.Contains(w.options.SourceNamespaces, namespace) {
			return false
		}
		w.report.add(Changed, se.object, fields.Field{Path: "spec.exportTo"},
			"namespace %s is taken to see %s for the sake of the gateway there; if workloads there call it, name it in --source-namespaces", namespace, host)
		return true
	})
}

// guards returns the namespaces of the gateways to which calls of a host are
// led, and, if all of its ports go there, the namespaces that alone the
// AuthorizationPolicies there admit.
func (w *world) guards(se *serviceEntry, host string) (gateways, admitted []string) {
	all := true
	for _, port := range se.ports {
		// What holds for a namespace to which nothing is exported by name.
		branches := w.ways("", host, se, port)
		all = all && !slices.ContainsFunc(branches, func(b branch) bool {
			if b.route == nil || b.route.to == nil {
				return true
			}
			_, _, ok := serviceOf(b.route.to.host)
			return !ok
		})
	}
	for _, vs := range w.virtuals {
		if _, ok := vs.hostFor(host); !ok {
			continue
		}
		for _, r := range vs.routes {
			if r.to == nil {
				continue
			}
			if _, namespace, ok := serviceOf(r.to.host); ok {
				gateways = append(gateways, namespace)
			}
		}
	}
	for _, ap := range w.authz {
		if ap.action != "ALLOW" || !slices.Contains(gateways, ap.namespace) {
			continue
		}
		for _, r := range ap.rules {
			all = all && len(r.callers) > 0
			for _, c := range r.callers {
				admitted = append(admitted, c.namespace)
			}
		}
	}
	if !all {
		return gateways, nil
	}
	return gateways, admitted
}

// openTo returns the namespaces for a host that every namespace may call, and
// says what that narrows.
func (w *world) openTo(o *object, host string) []string {
	at := fields.Field{Path: "spec.exportTo"}
	if len(w.options.SourceNamespaces) == 0 {
		w.report.add(LeftOut, o, at, "every workload of every namespace may call %s, and a policy names its sources: give the namespaces that call it by --source-namespaces", host)
		return nil
	}
	w.report.add(Changed, o, at, "NARROWER: today every workload of every namespace may call %s, after the move those of namespace %s only",
		host, strings.Join(w.options.SourceNamespaces, ", "))
	return w.options.SourceNamespaces
}

// known reports whether Sidecars of a namespace let its workloads know a host.
func (w *world) known(se *serviceEntry, host, namespace string) bool {
	var plain *sidecar
	for _, sc := range w.sidecars {
		switch {
		case sc.namespace == namespace && len(sc.selector) > 0:
			if !sc.knows(se.namespace, host) {
				w.report.add(LeftOut, sc.object, fields.Field{Path: "spec.egress"},
					"it hides %s from the workloads %s, and a policy for namespace %s could open it to them; write that one by hand", host, labelText(sc.selector), namespace)
				return false
			}
		case len(sc.selector) > 0:
		case sc.namespace == namespace && (plain == nil || plain.namespace != namespace):
			plain = sc
		case sc.namespace == w.options.RootNamespace && plain == nil:
			plain = sc
		}
	}
	if plain == nil {
		return true
	}
	if !plain.knows(se.namespace, host) {
		w.report.add(Stays, plain.object, fields.Field{Path: "spec.egress"}, "it hides %s from namespace %s, which no policy grants it to", host, namespace)
		return false
	}
	local := *plain
	local.namespace = namespace
	if !local.knows(namespace, host) {
		w.report.add(Stays, plain.object, fields.Field{Path: "spec.egress"},
			`it hides what a policy declares in namespace %s itself: add "./*" to its hosts before the policy is applied`, namespace)
	}
	return true
}
