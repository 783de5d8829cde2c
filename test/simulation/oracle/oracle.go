// Package oracle says from the policies alone where a call may end.
//
// It is written from what the attributes of a policy promise (who is granted
// what, through which gateway, with which host, port and TLS) and uses nothing
// of the compiler but the structs of the intent.
package oracle

import (
	"net"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Verdict is what may become of a call: it leaves by one of Exits, or, where
// Blocked says so, not at all.
type Verdict struct {
	Exits   []scenario.Exit
	Blocked bool
	// Why is for the reader of a mismatch.
	Why string
}

// Admits reports whether the outcome is one of those that the verdict names.
func (v Verdict) Admits(o scenario.Outcome) bool {
	if len(o.Exits) == 0 {
		return v.Blocked
	}
	for _, exit := range o.Exits {
		if !slices.Contains(v.Exits, exit) {
			return false
		}
	}
	return true
}

// Or returns the verdict that admits what either does, and that nothing
// happens: in the middle of a change no call may go further than before or
// after it.
func (v Verdict) Or(w Verdict) Verdict {
	return Verdict{
		Exits:   append(slices.Clone(v.Exits), w.Exits...),
		Blocked: true,
		Why:     "before: " + v.Why + "; after: " + w.Why,
	}
}

// Call returns the verdict on a call through the caller's sidecar.
func Call(s scenario.Scenario, c scenario.Call) Verdict {
	r := reading{scenario: s, call: c, caller: s.Workloads[c.From]}
	for _, p := range s.Policies {
		for _, rule := range p.EgressRules {
			if !slices.ContainsFunc(rule.From, func(f policy.From) bool { return f.Namespace == r.caller.Namespace }) {
				continue
			}
			for _, to := range rule.To {
				r.mentions(p, to)
				r.grants(p, rule, to)
			}
		}
	}
	return r.verdict()
}

// reading is what the policies say about one call.
type reading struct {
	scenario scenario.Scenario
	call     scenario.Call
	caller   scenario.Workload

	// exact and mixed are the exits that one source grants, and that labels of
	// one and the service account of another source of a rule grant.
	exact, mixed []scenario.Exit
	// routed is whether the caller has the labels of some source.
	routed bool
	// declared is whether some entry of the caller's namespace is for the
	// call, by whomever; host is then the declared host, and passable whether
	// everybody may go there directly.
	declared, passable bool
	host               string
	// sameName is whether the name and port of the call are declared,
	// samePassable whether everybody may go there directly.
	sameName, samePassable bool
	// virtual is whether the name stands for an address of the mesh's own,
	// pinned whether the name that is sent belongs to other addresses.
	virtual, pinned bool
}

// mentions notes in how far an entry is about the names in the call.
func (r *reading) mentions(p policy.Policy, to policy.To) {
	c := r.call
	r.virtual = r.virtual || bound(r.scenario, to, c.Dial) && len(to.Addresses) == 0
	r.pinned = r.pinned || bound(r.scenario, to, c.Name) && c.Dial != c.Name
	if c.Port == to.Port.Number && (names(to, c.Name) || names(to, c.Dial) || slices.Contains(to.Addresses, c.Dial)) {
		r.sameName = true
		r.samePassable = r.samePassable || passable(p)
	}
}

// grants notes what an entry grants the caller.
func (r *reading) grants(p policy.Policy, rule policy.Rule, to policy.To) {
	host, ok := asksFor(r.call, r.scenario.Address(r.call.Dial), to)
	if !ok {
		return
	}
	r.declared, r.host = true, host
	r.passable = r.passable || passable(p)
	if p.ByEgressGateway == nil {
		if to.ResolveTo != nil {
			r.host = *to.ResolveTo
		}
		return
	}
	labels, account, both := selects(rule, r.caller, identified(p))
	leaving := exits(p, to, host)
	r.routed = r.routed || labels
	switch {
	case both:
		r.exact = append(r.exact, leaving...)
	case labels && account:
		r.mixed = append(r.mixed, leaving...)
	}
}

// passable reports whether all workloads of a policy's source namespaces may
// go directly to its hosts.
func passable(p policy.Policy) bool {
	return p.ByEgressGateway == nil || p.UnselectedWorkloads == policy.Direct
}

func (r *reading) verdict() Verdict {
	registryOnly := r.scenario.IsRegistryOnly(r.caller.Namespace)
	v := granted(r.exact, r.mixed, r.routed)
	if v.Why == "" {
		v = r.ungranted(registryOnly)
	}
	if r.call.Protocol == scenario.TLS && r.pinned {
		// The listener of the name takes calls to its addresses only. A call
		// to another address is what nobody declared, whatever name it sends.
		v.Blocked, v.Why = true, v.Why+"; or an address that is not the name's"
		if !registryOnly {
			v.Exits = append(v.Exits, undisturbed(r.scenario, r.call))
		}
	}
	return v
}

// ungranted is the verdict on a call that no source is granted.
func (r *reading) ungranted(registryOnly bool) Verdict {
	s, c := r.scenario, r.call
	switch {
	case r.declared && r.passable:
		return Verdict{Exits: directly(s, c, r.host), Why: "declared, and everybody may go directly"}
	case r.declared:
		return Verdict{Blocked: true, Why: "declared, and not granted"}
	case r.sameName && r.samePassable:
		exits := append(directly(s, c, withoutPort(c.Name)), directly(s, c, c.Dial)...)
		return Verdict{Exits: exits, Blocked: true, Why: "another protocol on a port that everybody may go to"}
	case registryOnly:
		return Verdict{Blocked: true, Why: "REGISTRY_ONLY, and not declared"}
	case r.sameName:
		// Another protocol on the port of a declared host is not worth a
		// promise; it must not come out at a gateway.
		return Verdict{Exits: []scenario.Exit{undisturbed(s, c)}, Blocked: true, Why: "another protocol on a declared port"}
	case r.virtual:
		// The sidecar gives the name an address that stands for it inside the
		// mesh alone, so its other ports lead nowhere.
		return Verdict{Blocked: true, Why: "another port of a name with a virtual address"}
	default:
		return Verdict{Exits: []scenario.Exit{undisturbed(s, c)}, Why: "ALLOW_ANY, and not declared"}
	}
}

// granted returns what follows from the grants for a call; none if nothing
// does.
func granted(exact, mixed []scenario.Exit, routed bool) Verdict {
	switch {
	case len(exact) > 0:
		return Verdict{Exits: exact, Why: "granted"}
	case len(mixed) > 0:
		// Labels route and service accounts admit; the two are looked at in
		// two places, each for all sources of the rule in the namespace.
		return Verdict{Exits: mixed, Blocked: true, Why: "labels of one source, service account of another"}
	case routed:
		return Verdict{Blocked: true, Why: "selected, but another service account"}
	}
	return Verdict{}
}

// bound reports whether the entry ties a name to addresses: TCP by a name needs
// one, given in the policy or by the sidecar that answers DNS.
func bound(s scenario.Scenario, to policy.To, name string) bool {
	return to.Port.Protocol == policy.TCP && slices.Contains(to.Hosts, name) &&
		(len(to.Addresses) > 0 || s.DNSCapture && s.Address(name) != name)
}

// Straight returns the verdict on an attempt to use a gateway past the sidecar: the
// caller may get what some policy grants his identity there, and may always
// be refused.
func Straight(s scenario.Scenario, c scenario.Straight) Verdict {
	v := Verdict{Blocked: true, Why: "no more than what the identity is granted at that gateway"}
	gateway := s.Gateways[c.Gateway]
	for _, p := range s.Policies {
		ref := p.ByEgressGateway
		if ref == nil || ref.Name != gateway.Name || ref.Namespace != gateway.Namespace {
			continue
		}
		for _, rule := range p.EgressRules {
			if !slices.ContainsFunc(rule.From, func(f policy.From) bool { return admitsIdentity(s, gateway, f, c) }) {
				continue
			}
			for _, to := range rule.To {
				for _, host := range append([]string{withoutPort(c.Name)}, to.Hosts...) {
					if host, ok := match(to.Hosts, host); ok {
						v.Exits = append(v.Exits, exits(p, to, host)...)
					}
				}
			}
		}
	}
	return v
}

// admitsIdentity reports whether the gateway lets the caller in as the source f.
func admitsIdentity(s scenario.Scenario, gateway compile.Reference, f policy.From, c scenario.Straight) bool {
	if gateway.MutualTLS != nil && !*gateway.MutualTLS {
		return true // nobody shows a certificate
	}
	if !c.Mutual {
		return false
	}
	trusted := c.As.TrustDomain == s.TrustDomain || slices.Contains(s.Aliases, c.As.TrustDomain)
	unchecked := gateway.Authorization != nil && *gateway.Authorization == "none"
	if len(f.ServiceAccounts) == 0 {
		return unchecked || trusted && f.Namespace == c.As.Namespace
	}
	return trusted && f.Namespace == c.As.Namespace && slices.Contains(f.ServiceAccounts, c.As.ServiceAccount)
}

// identified reports whether the gateway of a policy sees identities.
func identified(p policy.Policy) bool {
	return p.ByEgressGateway.MutualTLS == nil || *p.ByEgressGateway.MutualTLS
}

// selects reports whether the workload has the labels of a source of the rule,
// whether it has the service account of a source, and whether one source has
// both.
func selects(rule policy.Rule, w scenario.Workload, identified bool) (labels, account, both bool) {
	for _, f := range rule.From {
		if f.Namespace != w.Namespace {
			continue
		}
		hasLabels := true
		for key, value := range f.WorkloadSelector {
			if got, ok := w.Labels[key]; !ok || got != value {
				hasLabels = false
			}
		}
		hasAccount := !identified || len(f.ServiceAccounts) == 0 || slices.Contains(f.ServiceAccounts, w.ServiceAccount)
		labels = labels || hasLabels
		account = account || hasAccount
		both = both || hasLabels && hasAccount
	}
	return labels, account, both
}

// asksFor returns the host of the entry that a call to an address is for.
func asksFor(c scenario.Call, address string, to policy.To) (host string, ok bool) {
	if c.Port != to.Port.Number {
		return "", false
	}
	switch to.Port.Protocol {
	case "HTTP", "HTTP2", "GRPC":
		if c.Protocol != scenario.HTTP && c.Protocol != scenario.HTTP2 {
			return "", false
		}
		return match(to.Hosts, withoutPort(c.Name))
	case "HTTPS", "TLS":
		if c.Protocol != scenario.TLS {
			return "", false
		}
		return match(to.Hosts, c.Name)
	default:
		if slices.Contains(to.Addresses, address) {
			return to.Hosts[0], true
		}
		if c.Protocol != scenario.TCP {
			return "", false
		}
		return match(to.Hosts, c.Dial)
	}
}

// match reports whether a name is one of the hosts; "*.x" is every name below
// x.
func match(hosts []string, name string) (string, bool) {
	for _, host := range hosts {
		suffix, wildcard := strings.CutPrefix(host, "*")
		if host == name || wildcard && strings.HasSuffix(name, suffix) && name != suffix {
			return name, true
		}
	}
	return "", false
}

func names(to policy.To, name string) bool {
	_, ok := match(to.Hosts, withoutPort(name))
	return ok
}

func withoutPort(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}

// exits returns how a granted call for a host of an entry leaves.
func exits(p policy.Policy, to policy.To, host string) []scenario.Exit {
	exit := scenario.Exit{
		Via:  p.ByEgressGateway.Namespace + "/" + p.ByEgressGateway.Name,
		Host: host,
		Port: to.Port.Number,
	}
	if to.HTTPSUpgrade != nil && to.HTTPSUpgrade.Enabled {
		exit.Port = to.HTTPSUpgrade.Port
		exit.TLS = origination(to.TLS, host)
	}
	if to.ResolveTo != nil {
		exit.Host = *to.ResolveTo
	}
	return []scenario.Exit{exit}
}

func origination(tls *policy.TLS, host string) scenario.Origination {
	o := scenario.Origination{Mode: "SIMPLE", SNI: host, Names: host, CA: "system"}
	if tls == nil {
		return o
	}
	if tls.Mode != "" {
		o.Mode = tls.Mode
	}
	if tls.SNI != nil {
		o.SNI, o.Names = *tls.SNI, *tls.SNI
	}
	if len(tls.SubjectAltNames) > 0 {
		o.Names = strings.Join(slices.Sorted(slices.Values(tls.SubjectAltNames)), ",")
	}
	if tls.CredentialName != nil {
		o.CA = *tls.CredentialName
		if o.Mode == "MUTUAL" {
			o.Certificate = *tls.CredentialName
		}
	}
	if tls.InsecureSkipVerify != nil && *tls.InsecureSkipVerify {
		o.CA, o.Names = "none", ""
	}
	return o
}

// directly is how a call leaves that is declared and goes without a gateway:
// where it was dialled, or to the declared host.
func directly(s scenario.Scenario, c scenario.Call, host string) []scenario.Exit {
	return []scenario.Exit{undisturbed(s, c), {Host: host, Port: c.Port}}
}

// undisturbed is how a call leaves that nobody interferes with.
func undisturbed(s scenario.Scenario, c scenario.Call) scenario.Exit {
	return scenario.Exit{Host: s.Address(c.Dial), Port: c.Port}
}
