package policy

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// The gateway's part of a transition.

// gatewayRoutes removes those that would stay beside a new one for the same
// host on the same server: Istio merges them, and the first match wins.
func (t *transition) gatewayRoutes() {
	type spot struct{ gateway, host string }
	namesAt := func(l *layout, at map[string]int64) map[spot][]string {
		names := map[spot][]string{}
		for _, s := range l.slots {
			for _, srv := range s.servers {
				for _, host := range srv.hosts {
					where := spot{GatewayName(l.ref.Name, at[s.Key]), host}
					names[where] = append(names[where], l.objectName(srv.entry.Name, host))
				}
			}
		}
		return names
	}
	after := namesAt(t.new, t.at)
	for where, names := range namesAt(t.old, t.wasAt) {
		for _, name := range names {
			if len(after[where]) > 0 {
				t.remove("VirtualService", t.old.ref.Namespace, name)
			}
		}
	}
}

// gateways lets a server admit new callers only when its routes are those of
// the new version: whoever dials the gateway past his sidecar would get what
// only the old version had for others.
func (t *transition) gateways(objects []manifest.Object) {
	for _, s := range t.old.slots {
		port := t.wasAt[s.Key]
		narrowed := t.old.gateway(s, port)
		late := false
		for i, srv := range s.servers {
			widened, lost := t.turnover(srv, port)
			late = late || widened
			if widened && lost {
				t.old.admitOnly(narrowed.Body, i, srv, t.admittedByBoth(srv.entry))
			}
		}
		if !late {
			continue
		}
		t.add(narrowed)
		for i := range objects {
			if objects[i].ID() == narrowed.ID() {
				objects[i].Stage = stageClientRule // next after the gateway's routes
			}
		}
	}
}

// turnover reports whether a server admits new callers, and no longer all of
// the old ones, while its calls leave in another way.
func (t *transition) turnover(srv server, port int64) (widened, lost bool) {
	e, ok := t.entriesNew[srv.entry.Name]
	if !ok || !t.old.ref.UsesMutualTLS() || t.old.ref.Name != t.new.ref.Name || t.old.ref.Namespace != t.new.ref.Namespace {
		return false, false
	}
	moved, same := false, false
	for _, host := range srv.hosts {
		if !slices.Contains(e.hosts, host) {
			continue
		}
		is, now := t.new.slotOf(e.Name, host)
		same = same || t.at[is.Key] == port && now.host == srv.host
		moved = moved || t.old.exit(srv.entry, host) != t.new.exit(e, host)
	}
	if !same || !moved {
		return false, false
	}
	before, after := t.old.admitted(srv.entry, ""), t.new.admitted(e, "")
	return !admitsAll(before, after), !admitsAll(after, before)
}

// everyone stands for callers of any namespace, or any service account of one.
const everyone = "*"

// admitted returns whom the gateway lets in for an entry, as
// "<namespace>/<service account>"; only those of a namespace where one is given.
func (l *layout) admitted(e entry, namespace string) []string {
	var all []string
	for _, source := range e.sources {
		if namespace != "" && source.Namespace != namespace {
			continue
		}
		switch {
		case !l.ref.UsesMutualTLS(), len(source.ServiceAccounts) == 0 && !l.ref.ChecksNamespace():
			all = append(all, everyone)
		case len(source.ServiceAccounts) == 0:
			all = append(all, source.Namespace+"/"+everyone)
		}
		for _, account := range source.ServiceAccounts {
			all = append(all, source.Namespace+"/"+account)
		}
	}
	return distinct(all)
}

// admits reports whether one of a list is admitted.
func admits(list []string, caller string) bool {
	namespace, _, _ := strings.Cut(caller, "/")
	return slices.Contains(list, caller) || slices.Contains(list, everyone) || slices.Contains(list, namespace+"/"+everyone)
}

func admitsAll(list, callers []string) bool {
	return !slices.ContainsFunc(callers, func(caller string) bool { return !admits(list, caller) })
}

// admittedByBoth returns whom both versions of an entry let in.
func (t *transition) admittedByBoth(e entry) []string {
	before, after := t.old.admitted(e, ""), t.new.admitted(t.entriesNew[e.Name], "")
	var both []string
	for _, caller := range before {
		if admits(after, caller) {
			both = append(both, caller)
		}
	}
	for _, caller := range after {
		if admits(before, caller) {
			both = append(both, caller)
		}
	}
	return distinct(both)
}

// nobody is an identity that no certificate has.
const nobody = "spiffe://nobody." + privateSuffix + "/ns/nobody/sa/nobody"

// admitOnly limits a server of a Gateway to the callers: by the service
// accounts in the handshake, or by the names of the grants to namespaces.
func (l *layout) admitOnly(gateway *unstructured.Unstructured, index int, srv server, callers []string) {
	fields := children(child(gateway.Object, "spec"), "servers")[index]
	accounts := []any{}
	refused := map[string]bool{}
	for _, namespace := range srv.entry.namespaces() {
		refused["./"+l.sni(srv.entry.Name, srv.host, namespace)] = !slices.Contains(callers, namespace+"/"+everyone)
	}
	for _, caller := range callers {
		namespace, account, _ := strings.Cut(caller, "/")
		for _, domain := range l.mesh.TrustDomains() {
			if account != everyone {
				accounts = append(accounts, spiffe(domain, namespace, account))
			}
		}
	}
	switch {
	case slices.Contains(callers, everyone):
	case len(callers) == 0:
		child(fields, "tls")["subjectAltNames"] = []any{nobody}
	case len(accounts) > 0:
		child(fields, "tls")["subjectAltNames"] = accounts
	default:
		fields["hosts"] = slices.DeleteFunc(slices.Clone(fields["hosts"].([]any)), func(host any) bool { return refused[host.(string)] })
	}
}

// exit says how the calls for a host of an entry leave.
func (l *layout) exit(e entry, host string) string {
	number, _ := e.upstreamPort()
	text := fmt.Sprintf("%s/%s %s:%d", l.ref.Namespace, l.ref.Name, e.upstreamHost(host), number)
	if e.upgraded() {
		text += " " + upgradeTLS(e.TLS).String()
	}
	return text
}
