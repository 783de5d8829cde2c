package policy

import (
	"encoding/json"
	"fmt"
	"slices"

	networking "istio.io/api/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// One Gateway for each container port, in the gateway's namespace, named after
// the port: creating it reserves the port among all policies of the gateway.
//
// With mutual TLS every server ends the mesh's TLS (ISTIO_MUTUAL): HTTPS where
// the gateway has to see requests, TLS where it passes bytes on. Its hosts are
// the names of the grants it serves, and for HTTP the real hosts too, by which
// requests are routed. Service accounts are checked in the handshake, as
// subject alternative names: an AuthorizationPolicy for each grant would be
// copied into each filter chain.
//
// Without mutual TLS HTTP is told apart by Host, TLS passes through by SNI,
// and TCP has a port of its own.
//
// Hosts are written `./host`, so that VirtualServices of other namespaces
// cannot bind to them. Server numbers are container ports: istiod takes a
// number as it is when no Service of the pods has it as its port
// (pilot/pkg/model/gateway.go, resolvePorts).

// GatewayObject returns the Gateway that reserves a port for a slot of the
// policy. It is the one that Objects returns for the same port.
func GatewayObject(p Policy, mesh compile.Mesh, slot ports.Slot, port int64) manifest.Object {
	l := newLayout(p, mesh)
	for _, s := range l.slots {
		if s.Key == slot.Key {
			return l.gateway(s, port)
		}
	}
	panic("policy: no slot " + slot.Key)
}

func (l *layout) gateway(s slot, port int64) manifest.Object {
	spec := &networking.Gateway{Selector: l.ref.PodSelector()}
	for _, srv := range s.servers {
		spec.Servers = append(spec.Servers, l.server(srv, port))
	}
	members, err := json.Marshal(s.Members)
	if err != nil {
		panic(fmt.Sprintf("policy: a list of strings is not JSON: %v", err))
	}
	labels := l.labels()
	labels[compile.LabelGateway] = l.ref.Name
	body := istioBody(networkingV1, "Gateway", meta{
		name: GatewayName(l.ref.Name, port), namespace: l.ref.Namespace,
		labels: labels, annotations: map[string]string{compile.AnnotationEntries: string(members)},
	}, spec, writePassthrough)
	return manifest.Object{
		Key:   manifest.Key("Gateway", l.ref.Namespace, l.ref.Name+":"+s.Key),
		Stage: stageGateway,
		Body:  body,
	}
}

func (l *layout) server(s server, port int64) *networking.Server {
	protocol := s.entry.Port.Protocol
	result := &networking.Server{Port: &networking.Port{Number: uint32(port)}}
	if !l.ref.UsesMutualTLS() {
		result.Hosts = dotted(meshHosts(s.hosts))
		result.Port.Protocol = protocol
		if isTLS(protocol) {
			result.Port.Protocol = TLSSNI
			result.Tls = &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_PASSTHROUGH}
		}
		result.Port.Name = portName(protocol, s)
		return result
	}
	result.Hosts = dotted(l.grantNames(s))
	result.Port.Protocol = TLSSNI
	result.Tls = &networking.ServerTLSSettings{
		Mode:            networking.ServerTLSSettings_ISTIO_MUTUAL,
		SubjectAltNames: l.identities(s.entry),
	}
	if isHTTP(protocol) {
		result.Port.Protocol = HTTPS
		result.Hosts = append(result.Hosts, dotted(s.hosts)...)
	}
	result.Port.Name = portName(protocol, s)
	return result
}

// grantNames returns the names of the grants that a server serves, one for
// each source namespace.
func (l *layout) grantNames(s server) []string {
	var names []string
	for _, namespace := range s.entry.namespaces() {
		names = append(names, l.sni(s.entry.Name, s.host, namespace))
	}
	return names
}

// gatewayIdentities returns the SPIFFE identities that the gateway may have, one for
// each trust domain; none if its service account is not known.
func (l *layout) gatewayIdentities() []string {
	if l.ref.ServiceAccount == nil {
		return nil
	}
	var all []string
	for _, domain := range l.mesh.TrustDomains() {
		all = append(all, spiffe(domain, l.ref.Namespace, *l.ref.ServiceAccount))
	}
	return distinct(all)
}

// identities returns the SPIFFE identities that an entry admits, for each
// trust domain; none if it names no service accounts. Istio compares them
// exactly.
func (l *layout) identities(e entry) []string {
	var all []string
	for _, source := range e.sources {
		for _, account := range source.ServiceAccounts {
			for _, domain := range l.mesh.TrustDomains() {
				all = append(all, spiffe(domain, source.Namespace, account))
			}
		}
	}
	return distinct(all)
}

// spiffe returns an identity as Istio writes it into certificates
// (pkg/spiffe/spiffe.go).
func spiffe(domain, namespace, account string) string {
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", domain, namespace, account)
}

// writePassthrough writes the mode whose enum is zero.
func writePassthrough(spec map[string]any) {
	for _, server := range children(spec, "servers") {
		if tls, ok := server["tls"].(map[string]any); ok && tls["mode"] == nil {
			tls["mode"] = "PASSTHROUGH"
		}
	}
}

// dotted limits hosts to VirtualServices of the Gateway's own namespace.
func dotted(hosts []string) []string {
	limited := make([]string, 0, len(hosts))
	for _, host := range hosts {
		limited = append(limited, "./"+host)
	}
	return limited
}

func meshHosts(hosts []string) []string {
	names := make([]string, 0, len(hosts))
	for _, host := range hosts {
		names = append(names, MeshHost(host))
	}
	slices.Sort(names)
	return names
}
