package policy

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Two kinds of VirtualService, never one with `gateways: [mesh, <gateway>]` as
// the tutorials have it: `match.gateways` of an HTTP match switches off its
// sourceLabels (pilot/pkg/networking/core/route/route.go), so that workloads
// that no rule selects would be routed as well.
//
// The mesh one, for each source namespace and host, sends the selected
// workloads to the port of the policy's Service. It has no route without a
// match: such a route would capture the workloads of another policy.
//
// The gateway one, for each entry and host, sends what arrives on the
// container port to the upstream. TLS that the gateway has ended is TCP to it:
// with `tls` routes there is no filter chain, and no listener
// (pilot/pkg/networking/core/gateway.go; istio/istio#37293, #57329).
//
// Requests are retried by the gateway only: Istio's default of two retries at
// both legs would multiply.

// meshRoutes returns the VirtualServices of the sidecars.
func (l *layout) meshRoutes(assigned map[string]int64) []manifest.Object {
	var objects []manifest.Object
	for _, namespace := range l.namespaces() {
		for _, host := range l.hostsFrom(namespace) {
			objects = append(objects, l.meshRoute(namespace, host, l.legs(namespace, host, assigned)))
		}
	}
	return objects
}

// leg is a route of a mesh VirtualService: which workloads an entry's calls
// are taken from, and where to.
type leg struct {
	entry       entry
	selectors   []map[string]string
	destination *networking.Destination
}

// legs returns the routes for a host of a source namespace, by port.
func (l *layout) legs(namespace, host string, assigned map[string]int64) []leg {
	var legs []leg
	for _, e := range l.entriesFrom(namespace) {
		if slices.Contains(e.hosts, host) {
			legs = append(legs, leg{entry: e, selectors: e.selectors(namespace), destination: l.toGateway(e, host, assigned)})
		}
	}
	slices.SortStableFunc(legs, func(a, b leg) int { return cmp.Compare(a.entry.Port.Number, b.entry.Port.Number) })
	return legs
}

func (l *layout) meshRoute(namespace, host string, legs []leg) manifest.Object {
	spec := &networking.VirtualService{
		Hosts: []string{MeshHost(host)}, Gateways: []string{"mesh"}, ExportTo: []string{"."},
	}
	for _, way := range legs {
		port, protocol := uint32(way.entry.Port.Number), way.entry.Port.Protocol
		switch {
		case isHTTP(protocol):
			route := &networking.HTTPRoute{
				Route:   []*networking.HTTPRouteDestination{{Destination: way.destination}},
				Retries: &networking.HTTPRetry{Attempts: 0},
			}
			for _, labels := range way.selectors {
				route.Match = append(route.Match, &networking.HTTPMatchRequest{Port: port, SourceLabels: labels})
			}
			spec.Http = append(spec.Http, route)
		case isTLS(protocol):
			route := &networking.TLSRoute{Route: []*networking.RouteDestination{{Destination: way.destination}}}
			for _, labels := range way.selectors {
				route.Match = append(route.Match, &networking.TLSMatchAttributes{
					Port: port, SniHosts: []string{host}, SourceLabels: labels,
				})
			}
			spec.Tls = append(spec.Tls, route)
		default:
			route := &networking.TCPRoute{Route: []*networking.RouteDestination{{Destination: way.destination}}}
			for _, labels := range way.selectors {
				route.Match = append(route.Match, &networking.L4MatchAttributes{Port: port, SourceLabels: labels})
			}
			spec.Tcp = append(spec.Tcp, route)
		}
	}
	return object(stageMeshRoute, istioBody(networkingV1, "VirtualService", meta{
		name: l.objectName(slug(host)), namespace: namespace, labels: l.labels(),
	}, spec, writeRetries(spec.GetHttp())))
}

// toGateway is where a sidecar sends an entry's calls for a host.
func (l *layout) toGateway(e entry, host string, assigned map[string]int64) *networking.Destination {
	s, srv := l.slotOf(e.Name, host)
	destination := &networking.Destination{
		Host: l.serviceHost(),
		Port: &networking.PortSelector{Number: uint32(s.servicePort(assigned[s.Key]))},
	}
	if l.ref.UsesMutualTLS() && s.needsSubsets() {
		destination.Subset = srv.subset()
	}
	return destination
}

// gatewayRoutes returns the VirtualServices of the gateway.
func (l *layout) gatewayRoutes(assigned map[string]int64) []manifest.Object {
	var objects []manifest.Object
	for _, s := range l.slots {
		for _, srv := range s.servers {
			for _, host := range srv.hosts {
				spec := l.gatewayRoute(srv, host, assigned[s.Key])
				objects = append(objects, object(stageGatewayRoute, istioBody(networkingV1, "VirtualService", meta{
					name: l.objectName(srv.entry.Name, host), namespace: l.ref.Namespace, labels: l.labels(),
				}, spec, writeRetries(spec.GetHttp()))))
			}
		}
	}
	return objects
}

func (l *layout) gatewayRoute(s server, host string, port int64) *networking.VirtualService {
	spec := &networking.VirtualService{
		Hosts: []string{MeshHost(host)}, ExportTo: []string{"."},
		Gateways: []string{GatewayName(l.ref.Name, port)},
	}
	destination := l.toUpstream(s.entry, host)
	protocol, container := s.entry.Port.Protocol, uint32(port)
	switch {
	case isHTTP(protocol):
		spec.Http = []*networking.HTTPRoute{{
			Match:   []*networking.HTTPMatchRequest{{Port: container}},
			Route:   []*networking.HTTPRouteDestination{{Destination: destination}},
			Timeout: protoDuration(s.entry.Timeout),
			Retries: retries(s.entry.Retries),
		}}
	case isTLS(protocol) && !l.ref.UsesMutualTLS():
		spec.Tls = []*networking.TLSRoute{{
			Match: []*networking.TLSMatchAttributes{{Port: container, SniHosts: []string{host}}},
			Route: []*networking.RouteDestination{{Destination: destination}},
		}}
	default:
		if l.ref.UsesMutualTLS() {
			spec.Hosts = l.grantNames(s)
		}
		spec.Tcp = []*networking.TCPRoute{{
			Match: []*networking.L4MatchAttributes{{Port: container}},
			Route: []*networking.RouteDestination{{Destination: destination}},
		}}
	}
	return spec
}

// toUpstream is where the gateway sends an entry's calls for a host.
func (l *layout) toUpstream(e entry, host string) *networking.Destination {
	number, _ := e.upstreamPort()
	destination := &networking.Destination{
		Host: e.upstreamHost(host),
		Port: &networking.PortSelector{Number: uint32(number)},
	}
	if e.upgraded() {
		destination.Subset = l.subsetName(e)
	}
	return destination
}

func retries(r *Retries) *networking.HTTPRetry {
	if r == nil {
		return nil
	}
	result := &networking.HTTPRetry{Attempts: int32(r.Attempts), PerTryTimeout: protoDuration(r.PerTryTimeout)}
	if r.RetryOn != nil {
		result.RetryOn = *r.RetryOn
	}
	return result
}

// writeRetries writes `attempts: 0`, which the JSON of istio.io/api leaves out.
func writeRetries(routes []*networking.HTTPRoute) func(map[string]any) {
	return func(spec map[string]any) {
		for i, fields := range children(spec, "http") {
			if retries := routes[i].GetRetries(); retries != nil {
				child(fields, "retries")["attempts"] = int64(retries.GetAttempts())
			}
		}
	}
}

// protoDuration turns a duration of the configuration, which validation has
// parsed before, into that of the API.
func protoDuration(text *string) *durationpb.Duration {
	if text == nil {
		return nil
	}
	duration, err := time.ParseDuration(*text)
	if err != nil {
		return nil
	}
	return durationpb.New(duration)
}
