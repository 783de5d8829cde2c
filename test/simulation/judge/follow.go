package judge

import (
	"errors"
	"fmt"
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"istio.io/istio/pilot/pkg/simulation"

	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Call follows a call from the caller's sidecar to where it leaves the mesh.
func (m *Mesh) Call(s *State, c scenario.Call) scenario.Outcome {
	return m.call(s, c, false)
}

// TraceCall is Call with a trace, which takes longer to write than a call to
// follow.
func (m *Mesh) TraceCall(s *State, c scenario.Call) scenario.Outcome {
	return m.call(s, c, true)
}

func (m *Mesh) call(s *State, c scenario.Call, tracing bool) scenario.Outcome {
	f := &follower{mesh: m, state: s, tracing: tracing}
	w := s.Workloads[c.From]
	f.identity = scenario.Identity{TrustDomain: s.TrustDomain, Namespace: w.Namespace, ServiceAccount: w.ServiceAccount}
	side := m.sidecar(s, c.From)

	address := s.Address(c.Dial)
	virtual := false
	if answers := side.lookup(c.Dial); len(answers) > 0 && !slices.Contains(answers, address) {
		address, virtual = answers[0], true
	}
	f.say("%s dials %s:%d", w.Name, address, c.Port)
	call := inner(c.Protocol, c.Name)
	call.Address, call.Port, call.CallMode = address, int(c.Port), simulation.CallModeOutbound
	target, _, err := f.through(side, call)
	if err != nil {
		return f.blocked(err)
	}
	next, err := m.upstream(side, target, c.Name)
	if err != nil {
		return f.blocked(err)
	}
	if next.original {
		if virtual {
			return f.blocked(fmt.Errorf("%s stands for %s inside the mesh alone", address, c.Dial))
		}
		return f.leaves(scenario.Exit{Host: address, Port: c.Port, TLS: next.tls})
	}
	for _, e := range next.endpoints {
		if gateway, is := s.intruderAt(e.host); is {
			f.meetsIntruder(gateway, next)
			continue
		}
		gateway := s.gatewayAt(e.host)
		if gateway < 0 {
			f.leaves(scenario.Exit{Host: e.host, Port: e.port, TLS: next.tls})
			continue
		}
		f.arrives(gateway, e.port, next, c)
	}
	return f.outcome
}

// Straight follows an attempt to use a gateway past the sidecar.
func (m *Mesh) Straight(s *State, c scenario.Straight) scenario.Outcome {
	return m.straight(s, c, false)
}

// TraceStraight is Straight with a trace.
func (m *Mesh) TraceStraight(s *State, c scenario.Straight) scenario.Outcome {
	return m.straight(s, c, true)
}

func (m *Mesh) straight(s *State, c scenario.Straight, tracing bool) scenario.Outcome {
	f := &follower{mesh: m, state: s, identity: c.As, tracing: tracing}
	f.enter(c.Gateway, c.Port, c.Mutual, c.SNI, c.Protocol, c.Name)
	return f.outcome
}

// follower walks one call through the mesh.
type follower struct {
	mesh     *Mesh
	state    *State
	identity scenario.Identity
	tracing  bool
	outcome  scenario.Outcome
}

func (f *follower) say(format string, args ...any) {
	if !f.tracing {
		return
	}
	f.outcome.Trace = append(f.outcome.Trace, fmt.Sprintf(format, args...))
}

func (f *follower) blocked(err error) scenario.Outcome {
	f.say("blocked: %v", err)
	return f.outcome
}

func (f *follower) leaves(exit scenario.Exit) scenario.Outcome {
	f.say("leaves %s", exit)
	f.outcome.Exits = append(f.outcome.Exits, exit)
	return f.outcome
}

// arrives is a connection from a sidecar at a gateway's pod.
func (f *follower) arrives(gateway int, port int64, from upstream, c scenario.Call) {
	if identity := f.identityOf(gateway, f.state.Gateways[gateway].Name); !from.takes(identity) {
		f.say("blocked: the sidecar refuses %s", identity)
		return
	}
	f.outcome.Hop = &scenario.Hop{Gateway: gateway, Port: port, Mutual: from.mutual, SNI: from.sni}
	if from.tls.Mode != "" {
		f.say("blocked: the sidecar speaks TLS that is not the mesh's to the gateway: %+v", from.tls)
		return
	}
	f.enter(gateway, port, from.mutual, from.sni, c.Protocol, c.Name)
}

// meetsIntruder is a connection from a sidecar to a pod that is not the gateway's.
func (f *follower) meetsIntruder(gateway int, from upstream) {
	if identity := f.identityOf(gateway, intruder); from.takes(identity) {
		f.leaves(scenario.Exit{Via: identity})
	}
}

// identityOf is that of a pod with a gateway's labels.
func (f *follower) identityOf(gateway int, account string) string {
	return scenario.Identity{
		TrustDomain: f.state.TrustDomain, Namespace: f.state.Gateways[gateway].Namespace, ServiceAccount: account,
	}.URI()
}

// takes reports whether the connection goes on when the peer has an identity.
func (up upstream) takes(identity string) bool {
	return !up.mutual || len(up.peers) == 0 ||
		slices.ContainsFunc(up.peers, func(name *matcherv3.StringMatcher) bool { return matches(name, identity) })
}

// enter is a connection at a gateway's pod.
func (f *follower) enter(gateway int, port int64, mutual bool, sni string, protocol scenario.Protocol, name string) {
	ref := f.state.Gateways[gateway]
	f.say("port %d of gateway %s/%s, mutual TLS %t, server name %q", port, ref.Namespace, ref.Name, mutual, sni)
	call := inner(protocol, name)
	seen := connection{port: uint32(port), sni: call.Sni}
	if protocol == scenario.HTTP || protocol == scenario.HTTP2 {
		seen.host = name
	}
	if mutual {
		if call.TLS == simulation.TLS {
			call = simulation.Call{Protocol: simulation.TCP}
		}
		call.TLS, call.Sni = simulation.MTLS, sni
		seen.identity, seen.sni = &f.identity, sni
	}
	call.Address, call.Port, call.CallMode = f.state.gatewayIP(gateway), int(port), simulation.CallModeGateway

	v := f.mesh.gateway(f.state, gateway)
	// Who calls shows in nothing but the guard, so that the way of one caller is
	// the way of all.
	way := approach{port, mutual, call.Sni, protocol, name}
	found, known := v.ways[way]
	if !known || f.tracing {
		target, chain, err := f.through(v, call)
		found = passage{chain: chain, err: err}
		if err == nil {
			found.next, found.lost = f.mesh.upstream(v, target, name)
		}
		v.ways[way] = found
	}
	next, err := found.next, found.err
	if err == nil {
		err = seen.admits(v.guard(found.chain))
	}
	if err == nil {
		err = found.lost
	}
	switch {
	case err != nil:
		f.blocked(err)
		return
	case next.mutual:
		f.say("blocked: the gateway speaks the mesh's TLS to the outside")
		return
	case next.original:
		next.endpoints = []endpoint{{host: "original destination", port: port}}
	}
	for _, e := range next.endpoints {
		f.leaves(scenario.Exit{Via: ref.Namespace + "/" + ref.Name, Host: e.host, Port: e.port, TLS: next.tls})
	}
}

// approach is a connection to a gateway, but for who makes it.
type approach struct {
	port     int64
	mutual   bool
	sni      string
	protocol scenario.Protocol
	name     string
}

// passage is where an approach leads.
type passage struct {
	chain *listenerv3.FilterChain
	err   error // no chain takes it, or it leads to no cluster
	next  upstream
	lost  error // the cluster leads nowhere
}

// inner is what the application itself speaks.
func inner(protocol scenario.Protocol, name string) simulation.Call {
	switch protocol {
	case scenario.HTTP:
		return simulation.Call{Protocol: simulation.HTTP, HostHeader: name}
	case scenario.HTTP2:
		return simulation.Call{Protocol: simulation.HTTP2, HostHeader: name}
	case scenario.TLS:
		return simulation.Call{Protocol: simulation.TCP, TLS: simulation.TLS, Sni: name}
	default:
		return simulation.Call{Protocol: simulation.TCP}
	}
}

// through finds the cluster to which a proxy sends a call, and the filter
// chain that takes it.
func (f *follower) through(v *view, call simulation.Call) (cluster string, chain *listenerv3.FilterChain, err error) {
	call.CustomListenerValidations = []simulation.CustomFilterChainValidation{func(matched *listenerv3.FilterChain) error {
		chain = matched
		return nil
	}}
	result := v.sim.Run(call)
	f.say("%s: listener %q, chain %q, route %q/%q, cluster %q", v.proxy.ID, result.ListenerMatched, result.FilterChainMatched,
		result.RouteConfigMatched, result.VirtualHostMatched, result.ClusterMatched)
	if result.Error != nil {
		return "", nil, result.Error
	}
	if result.ClusterMatched != "" {
		return result.ClusterMatched, chain, nil
	}
	if result.VirtualHostMatched == "" {
		return "", nil, errors.New("the chain leads to no cluster")
	}
	for _, config := range v.sim.Routes {
		for _, host := range config.GetVirtualHosts() {
			if config.GetName() != result.RouteConfigMatched || host.GetName() != result.VirtualHostMatched {
				continue
			}
			for _, route := range host.GetRoutes() {
				if _, ok := route.GetAction().(*routev3.Route_DirectResponse); !ok {
					panic(fmt.Sprintf("judge: a route to neither a cluster nor a direct response: %v", route))
				}
			}
		}
	}
	return "", nil, errors.New("the proxy answers itself")
}
