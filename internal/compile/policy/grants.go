package policy

import (
	"fmt"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

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
// other workloads of the namespace are such a source.
func Grants(p Policy) []string {
	l := newLayout(p, compile.Mesh{})
	var lines []string
	for _, e := range l.entries {
		for _, host := range e.hosts {
			service := fmt.Sprintf("%s %s", hostPort(host, e.Port.Number), e.Port.Protocol)
			for _, source := range e.sources {
				lines = append(lines, l.grant(source, e, service))
			}
			if !l.direct() && p.UnselectedWorkloads == Direct {
				for _, namespace := range e.namespaces() {
					lines = append(lines, fmt.Sprintf("%s/* -> %s, direct", namespace, service))
				}
			}
		}
	}
	return distinct(lines)
}

func (l *layout) grant(source From, e entry, service string) string {
	who := source.Namespace + "/*"
	if len(source.WorkloadSelector) > 0 {
		who = source.Namespace + "/" + selectorText(source.WorkloadSelector)
	}
	if l.direct() {
		return fmt.Sprintf("%s -> %s, direct", who, service)
	}
	checks := "any service account"
	if accounts := distinct(source.ServiceAccounts); len(accounts) > 0 {
		checks = "sa " + strings.Join(accounts, ", sa ")
	}
	if !l.ref.ChecksNamespace() {
		checks += ", namespace not checked"
	}
	if e.upgraded() {
		service += fmt.Sprintf(", upgraded to %d", e.HTTPSUpgrade.Port)
	}
	return fmt.Sprintf("%s (%s) -> %s, via %s/%s", who, checks, service, l.ref.Namespace, l.ref.Name)
}

func hostPort(host string, port int64) string {
	if isIP(host) && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}
