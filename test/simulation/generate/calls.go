package generate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// attempt is a call without its caller.
type attempt struct {
	kind     string
	protocol scenario.Protocol
	dial     string
	port     int64
	name     string
}

// Kinds returns the kinds of calls that every long run makes.
func Kinds() []string {
	kinds := []string{
		"as meant", "by address", "another port", "port of another entry", "Host with port", "Host spoofed", "undeclared Host",
		"undeclared host", "undeclared address", "TLS to an HTTP port", "HTTP to a TLS port", "server name spoofed",
	}
	for _, kind := range []string{
		"as the sidecar", "stolen server name", "foreign trust domain", "plaintext", "plain TLS", "no or another server name",
		"server name of the caller's namespace", "another host on the way of a grant",
	} {
		kinds = append(kinds, StraightKind(kind))
	}
	return kinds
}

// StraightKind is how a kind of attempts past the sidecar is counted.
func StraightKind(kind string) string { return "straight, " + kind }

// Undeclared names that no policy of any scenario mentions.
const (
	undeclaredHost    = "undeclared.example"
	undeclaredAddress = "203.0.113.99"
)

// Calls returns the calls that are worth making in a scenario: for each host
// of each entry what the policy names, and what misses it by a little; each
// by each workload.
func Calls(s scenario.Scenario) []scenario.Call {
	seen := map[attempt]bool{}
	var all []scenario.Call
	add := func(attempts ...attempt) {
		for _, a := range attempts {
			key := a
			key.kind = ""
			if seen[key] {
				continue
			}
			seen[key] = true
			for from := range s.Workloads {
				all = append(all, scenario.Call{Kind: a.kind, From: from, Protocol: a.protocol, Dial: a.dial, Port: a.port, Name: a.name})
			}
		}
	}
	// What the policies name comes first, so that it is not taken for
	// another's near miss.
	entries := entriesOf(s)
	for _, e := range entries {
		add(e.meant()...)
	}
	for _, e := range entries {
		add(e.missed(entries)...)
	}
	return all
}

// target is one host of an entry.
type target struct {
	protocol  string
	host      string
	addresses []string
	port      int64
}

func entriesOf(s scenario.Scenario) []target {
	var all []target
	for _, p := range s.Policies {
		for _, rule := range p.EgressRules {
			for _, to := range rule.To {
				for _, host := range to.Hosts {
					if suffix, ok := strings.CutPrefix(host, "*"); ok {
						host = "any" + suffix
					}
					all = append(all, target{protocol: to.Port.Protocol, host: host, addresses: to.Addresses, port: to.Port.Number})
				}
			}
		}
	}
	return all
}

func (e target) speaks() scenario.Protocol {
	switch e.protocol {
	case "HTTP":
		return scenario.HTTP
	case "HTTP2", "GRPC":
		return scenario.HTTP2
	case "HTTPS", "TLS":
		return scenario.TLS
	default:
		return scenario.TCP
	}
}

func (e target) name() string {
	if e.speaks() == scenario.TCP {
		return ""
	}
	return e.host
}

// meant are the calls that the entry is for.
func (e target) meant() []attempt {
	a := attempt{"as meant", e.speaks(), e.host, e.port, e.name()}
	all := []attempt{a}
	for _, address := range e.addresses {
		a.kind, a.dial = "by address", address
		all = append(all, a)
	}
	return all
}

// missed are calls that are nearly what the entry is for.
func (e target) missed(others []target) []attempt {
	speaks := e.speaks()
	all := []attempt{{"another port", speaks, e.host, e.port + 1, e.name()}}
	switch speaks {
	case scenario.HTTP, scenario.HTTP2:
		all = append(all,
			attempt{"Host with port", speaks, e.host, e.port, fmt.Sprintf("%s:%d", e.host, e.port)},
			attempt{"Host spoofed", speaks, undeclaredAddress, e.port, e.host},
			attempt{"undeclared Host", speaks, e.host, e.port, undeclaredHost},
			attempt{"undeclared host", speaks, undeclaredHost, e.port, undeclaredHost},
			attempt{"TLS to an HTTP port", scenario.TLS, e.host, e.port, e.host},
		)
	case scenario.TLS:
		all = append(all,
			attempt{"server name spoofed", speaks, undeclaredAddress, e.port, e.host},
			attempt{"undeclared host", speaks, undeclaredHost, e.port, undeclaredHost},
			attempt{"HTTP to a TLS port", scenario.HTTP, e.host, e.port, e.host},
		)
	default:
		all = append(all, attempt{"undeclared address", speaks, undeclaredAddress, e.port, ""})
		if len(e.addresses) > 0 {
			break
		}
		if _, err := netip.ParseAddr(e.host); err != nil {
			all = append(all, attempt{"undeclared host", speaks, undeclaredHost, e.port, ""})
		}
	}
	for _, other := range others {
		if other.port != e.port && other.speaks() == speaks && len(other.addresses) == 0 {
			all = append(all, attempt{"port of another entry", speaks, e.host, other.port, e.name()})
		}
	}
	return all
}

// Arrival is a call that came to a gateway.
type Arrival struct {
	scenario.Call
	scenario.Hop
}

// Straights returns attempts to get, past the sidecar, what other calls got:
// with another identity, without one, under another name.
func Straights(s scenario.Scenario, arrivals []Arrival) []scenario.Straight {
	var all []scenario.Straight
	seen := map[scenario.Straight]bool{}
	add := func(c scenario.Straight) {
		key := c
		key.Kind = ""
		if !seen[key] {
			seen[key] = true
			all = append(all, c)
		}
	}
	for _, a := range arrivals {
		caller := identity(s, s.Workloads[a.From])
		base := scenario.Straight{
			As: caller, Gateway: a.Gateway, Port: a.Hop.Port, Mutual: a.Mutual, SNI: a.SNI, Protocol: a.Protocol, Name: a.Name,
		}
		for _, w := range s.Workloads {
			c := base
			c.Kind, c.As = "stolen server name", identity(s, w)
			if c.As == caller {
				c.Kind = "as the sidecar"
			}
			add(c)
		}
		c := base
		c.Kind, c.As.TrustDomain = "foreign trust domain", "foreign.example"
		add(c)
		c = base
		c.Kind, c.Mutual, c.SNI = "plaintext", false, ""
		add(c)
		c.Kind, c.Protocol = "plain TLS", scenario.TLS
		for _, name := range []string{a.SNI, a.Name} {
			c.Name = name
			add(c)
		}
		if !a.Mutual {
			continue
		}
		for _, name := range []string{"", a.Name, undeclaredHost} {
			c = base
			c.Kind, c.SNI = "no or another server name", name
			add(c)
		}
		for _, w := range s.Workloads {
			if w.Namespace != caller.Namespace {
				c = base
				c.Kind, c.As = "server name of the caller's namespace", identity(s, w)
				c.SNI = strings.Replace(a.SNI, "."+caller.Namespace+".", "."+w.Namespace+".", 1)
				add(c)
			}
		}
		names := []string{undeclaredHost}
		for _, e := range entriesOf(s) {
			names = append(names, e.host)
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			c = base
			c.Kind, c.Name = "another host on the way of a grant", name
			add(c)
		}
	}
	return all
}

func identity(s scenario.Scenario, w scenario.Workload) scenario.Identity {
	return scenario.Identity{TrustDomain: s.TrustDomain, Namespace: w.Namespace, ServiceAccount: w.ServiceAccount}
}
