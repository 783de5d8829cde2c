package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// EntryGrant is a grant with the name of the entry (`to`) that gives it.
type EntryGrant struct {
	Grant
	Entry string
	// Line is the grant's String.
	Line string
}

// Grants returns, sorted, who may reach what by the policy: one line for each
// source, host and port. It does not depend on the assigned ports.
//
//	mytest/app=sleep-a (sa sleep-a) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/egressgateway-a
//
// A source without labels is `mytest/*`. In the parentheses stands what the
// gateway checks of the caller: its service account (`any service account`
// where the source names none), and `namespace not checked` where the gateway
// does not compare the namespace. Direct ways have no parentheses, since
// nobody checks the caller there; with `unselected_workloads = "direct"` the
// other workloads of the namespace are such a source. What is reached in truth
// stands there where it is something else than the name says: `resolved to
// <host>`, or the addresses that a direct call may dial, as `at <address>`.
// A line that ends in TLS to whoever answers says `without checking its
// certificate`.
func Grants(p Policy) []string {
	var lines []string
	for _, g := range EntryGrants(p) {
		lines = append(lines, g.Line)
	}
	return slices.Compact(lines)
}

// EntryGrants returns the grants of Grants in the same order, with the entries
// that give them: a line that two entries give is there twice.
func EntryGrants(p Policy) []EntryGrant {
	l := newLayout(p, compile.Mesh{})
	var all []EntryGrant
	add := func(e entry, g Grant) { all = append(all, EntryGrant{Grant: g, Entry: e.Name, Line: g.String()}) }
	for _, e := range l.entries {
		for _, host := range e.hosts {
			for _, source := range e.sources {
				add(e, l.grant(source, e, host))
			}
			if !l.direct() && p.UnselectedWorkloads == Direct {
				for _, namespace := range e.namespaces() {
					add(e, e.directGrant(namespace, host))
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b EntryGrant) int {
		return cmp.Or(strings.Compare(a.Line, b.Line), strings.Compare(a.Entry, b.Entry))
	})
	return slices.CompactFunc(all, func(a, b EntryGrant) bool { return a.Line == b.Line && a.Entry == b.Entry })
}

func (l *layout) grant(source From, e entry, host string) Grant {
	if l.direct() {
		g := e.directGrant(source.Namespace, host)
		g.WorkloadSelector = source.WorkloadSelector
		if len(g.Addresses) == 0 {
			g.ResolveTo = e.resolvedTo()
		}
		return g
	}
	g := Grant{
		Namespace: source.Namespace, WorkloadSelector: source.WorkloadSelector,
		ServiceAccounts: distinct(source.ServiceAccounts), NamespaceChecked: l.ref.ChecksNamespace(),
		Host: host, Port: e.Port.Number, Protocol: e.Port.Protocol, ResolveTo: e.resolvedTo(),
		Gateway: &GatewayID{Namespace: l.ref.Namespace, Name: l.ref.Name},
	}
	if e.upgraded() {
		g.UpgradedTo = e.HTTPSUpgrade.Port
		g.Unverified = e.TLS != nil && e.TLS.InsecureSkipVerify != nil && *e.TLS.InsecureSkipVerify
	}
	return g
}

// directGrant returns what all of a namespace may reach without the gateway:
// with addresses, whichever of them it has dialled (see layout.source).
func (e entry) directGrant(namespace, host string) Grant {
	return Grant{
		Namespace: namespace, Host: host, Port: e.Port.Number, Protocol: e.Port.Protocol, Addresses: distinct(e.Addresses),
	}
}

func (e entry) resolvedTo() string {
	if e.ResolveTo == nil {
		return ""
	}
	return *e.ResolveTo
}

func hostPort(host string, port int64) string {
	if isIP(host) && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}
