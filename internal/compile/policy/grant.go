package policy

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Grant is one source that may reach one host and port. Its String is the line
// that the attribute `grants` holds; ParseGrant reads it back.
type Grant struct {
	// Namespace and WorkloadSelector are the source's. Without labels it is
	// every workload of the namespace.
	Namespace        string
	WorkloadSelector map[string]string
	// ServiceAccounts are what the gateway checks, sorted; none if any service
	// account passes, or nobody checks.
	ServiceAccounts []string
	// NamespaceChecked is whether the gateway compares the caller's namespace.
	NamespaceChecked bool

	// Host is the name, wildcard or IP address that the workload dials, Port and
	// Protocol those of its call.
	Host     string
	Port     int64
	Protocol string
	// Addresses, sorted, are where a direct call ends whose destination is told
	// by its address alone.
	Addresses []string
	// ResolveTo is the host that is reached in place of Host; empty if it is Host.
	ResolveTo string
	// UpgradedTo is the port to which the gateway speaks TLS; 0 if it does not.
	UpgradedTo int64
	// Unverified is whether the gateway does so without checking the certificate.
	Unverified bool

	// Gateway is the way; nil for a direct one.
	Gateway *GatewayID
}

// GatewayID names an egress gateway.
type GatewayID struct{ Namespace, Name string }

// String returns the gateway as `namespace/name`.
func (g GatewayID) String() string { return g.Namespace + "/" + g.Name }

// The words of a line. Those that begin with a comma part it.
const (
	anyServiceAccount = "any service account"
	accountMark       = "sa "
	unchecked         = "namespace not checked"
	arrow             = " -> "
	comma             = ", "
	atMark            = " at "
	orMark            = " or "
	resolvedMark      = "resolved to "
	upgradedMark      = "upgraded to "
	notVerified       = " without checking its certificate"
	viaMark           = "via "
	directWay         = "direct"
	everyWorkload     = "*"
)

// String returns the line of a grant.
func (g Grant) String() string {
	var line strings.Builder
	line.WriteString(g.Source())
	if checks := g.Checks(); checks != "" {
		line.WriteString(" (" + checks + ")")
	}
	line.WriteString(arrow + hostPort(g.Host, g.Port) + " " + g.Protocol)
	if len(g.Addresses) > 0 {
		line.WriteString(atMark + strings.Join(g.Addresses, orMark))
	}
	if g.ResolveTo != "" {
		line.WriteString(comma + resolvedMark + g.ResolveTo)
	}
	if g.UpgradedTo != 0 {
		fmt.Fprintf(&line, "%s%s%d", comma, upgradedMark, g.UpgradedTo)
		if g.Unverified {
			line.WriteString(notVerified)
		}
	}
	line.WriteString(comma)
	if g.Gateway == nil {
		line.WriteString(directWay)
	} else {
		line.WriteString(viaMark + g.Gateway.String())
	}
	return line.String()
}

// Source returns the source as `namespace/labels`.
func (g Grant) Source() string {
	who := everyWorkload
	if len(g.WorkloadSelector) > 0 {
		who = selectorText(g.WorkloadSelector)
	}
	return g.Namespace + "/" + who
}

// Checks returns what the gateway checks of the caller; empty where there is
// no gateway.
func (g Grant) Checks() string {
	if g.Gateway == nil {
		return ""
	}
	checks := anyServiceAccount
	if len(g.ServiceAccounts) > 0 {
		checks = accountMark + strings.Join(g.ServiceAccounts, comma+accountMark)
	}
	if !g.NamespaceChecked {
		checks += comma + unchecked
	}
	return checks
}

// ParseGrant reads the line of a grant.
func ParseGrant(line string) (Grant, error) {
	var g Grant
	who, what, ok := strings.Cut(line, arrow)
	if ok {
		ok = g.parseSource(who) && g.parseService(strings.Split(what, comma)) && g.plain()
	}
	// Whatever else is in a line would be lost.
	if !ok || g.String() != line {
		return Grant{}, fmt.Errorf("%q is not a line of `grants`, such as %q", line, Grant{
			Namespace: "mytest", WorkloadSelector: map[string]string{"app": "sleep-a"}, NamespaceChecked: true,
			Host: "httpbin.org", Port: 443, Protocol: HTTPS, Gateway: &GatewayID{"istio-egress", "egressgateway-a"},
		})
	}
	return g, nil
}

func (g *Grant) parseSource(text string) bool {
	who, checks, checked := strings.Cut(text, " (")
	var ok bool
	var labels string
	if g.Namespace, labels, ok = strings.Cut(who, "/"); !ok {
		return false
	}
	if labels != everyWorkload {
		g.WorkloadSelector = map[string]string{}
		for pair := range strings.SplitSeq(labels, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				return false
			}
			g.WorkloadSelector[key] = value
		}
	}
	g.NamespaceChecked = checked
	for check := range strings.SplitSeq(strings.TrimSuffix(checks, ")"), comma) {
		account, isAccount := strings.CutPrefix(check, accountMark)
		switch {
		case isAccount:
			g.ServiceAccounts = append(g.ServiceAccounts, account)
		case check == unchecked:
			g.NamespaceChecked = false
		}
	}
	return true
}

func (g *Grant) parseService(parts []string) bool {
	where, service, _ := strings.Cut(parts[0], " ")
	host, port, err := net.SplitHostPort(where)
	if err != nil {
		return false
	}
	g.Host = host
	if g.Port, err = strconv.ParseInt(port, 10, 64); err != nil {
		return false
	}
	var addresses string
	if g.Protocol, addresses, _ = strings.Cut(service, atMark); addresses != "" {
		g.Addresses = strings.Split(addresses, orMark)
	}
	for _, part := range parts[1:] {
		if host, ok := strings.CutPrefix(part, resolvedMark); ok {
			g.ResolveTo = host
		} else if upgrade, ok := strings.CutPrefix(part, upgradedMark); ok {
			var number string
			number, g.Unverified = strings.CutSuffix(upgrade, notVerified)
			if g.UpgradedTo, err = strconv.ParseInt(number, 10, 64); err != nil {
				return false
			}
		} else if gateway, ok := strings.CutPrefix(part, viaMark); ok {
			namespace, name, _ := strings.Cut(gateway, "/")
			g.Gateway = &GatewayID{Namespace: namespace, Name: name}
		}
	}
	// Where nobody checks, nothing was.
	g.NamespaceChecked = g.NamespaceChecked && g.Gateway != nil
	return slices.IsSorted(g.ServiceAccounts)
}

// plain reports whether all parts of a grant are what names of Kubernetes and
// of the DNS can be: nothing that parts a line, and nothing invisible.
func (g *Grant) plain() bool {
	names := slices.Concat([]string{g.Namespace, g.Host, g.Protocol}, g.ServiceAccounts, g.Addresses, slices.Collect(maps.Keys(g.WorkloadSelector)))
	if g.Gateway != nil {
		names = append(names, g.Gateway.Namespace, g.Gateway.Name)
	}
	optional := append(slices.Collect(maps.Values(g.WorkloadSelector)), g.ResolveTo)
	return !slices.Contains(names, "") && !slices.ContainsFunc(append(names, optional...), func(name string) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(",()", r) })
	})
}
