package judge

import (
	"errors"
	"fmt"
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"istio.io/istio/pilot/pkg/simulation"

	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Call follows a call from the caller's sidecar to where it leaves the mesh.
func (m *Mesh) Call(s *State, c scenario.Call) scenario.Outcome {
	f := &follower{mesh: m, state: s}
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
	f := &follower{mesh: m, state: s, identity: c.As}
	f.enter(c.Gateway, c.Port, c.Mutual, c.SNI, c.Protocol, c.Name)
	return f.outcome
}

// follower walks one call through the mesh.
type follower struct {
	mesh     *Mesh
	state    *State
	identity scenario.Identity
	outcome  scenario.Outcome
}

func (f *follower) say(format string, args ...any) {
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
	f.outcome.Hop = &scenario.Hop{Gateway: gateway, Port: port, Mutual: from.mutual, SNI: from.sni}
	if from.tls.Mode != "" {
		f.say("blocked: the sidecar speaks TLS that is not the mesh's to the gateway: %+v", from.tls)
		return
	}
	f.enter(gateway, port, from.mutual, from.sni, c.Protocol, c.Name)
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
	target, chain, err := f.through(v, call)
	if err == nil {
		err = seen.admits(v.guard(chain))
	}
	var next upstream
	if err == nil {
		next, err = f.mesh.upstream(v, target, name)
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
