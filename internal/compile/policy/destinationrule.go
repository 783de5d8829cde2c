package policy

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Two kinds of DestinationRule, both private to their namespace.
//
// The client one, in each source namespace, makes the sidecars speak mutual
// TLS to the gateway (there is no automatic mutual TLS to a gateway:
// istio/istio#54793) and send the name of the grant. It stands in the client's
// namespace, where Istio looks first (pilot/pkg/model/push_context.go), and
// its host is the policy's own Service, so nothing merges with it. Subsets
// stand in it only where a port leads to several servers.
//
// It names the gateway's identity, where that is known. Otherwise Istio takes
// whoever the endpoints of the Service say they are
// (pilot/pkg/model/push_context.go, ServiceAccounts), so that a pod with the
// gateway's labels and any account of its namespace is the gateway too, and while
// the Service has no endpoints it takes any certificate of the mesh.
//
// The upstream one, in the gateway's namespace, upgrades requests to TLS. It
// is a subset, since HTTPS passed through to the same host uses the same
// cluster port without TLS of ours (istio/istio#23740). Without `sni` and
// `subjectAltNames` Istio takes the server name from the Host header and
// verifies it; with `sni` alone it would not verify the name.

// clientRules returns the DestinationRules of the sidecars.
func (l *layout) clientRules(assigned map[string]int64) []manifest.Object {
	if !l.ref.UsesMutualTLS() {
		return nil
	}
	var objects []manifest.Object
	for _, namespace := range l.namespaces() {
		spec := &networking.DestinationRule{Host: l.serviceHost(), ExportTo: []string{"."}}
		for _, s := range l.slots {
			port := s.servicePort(assigned[s.Key])
			for _, srv := range s.servers {
				if !slices.Contains(srv.entry.namespaces(), namespace) {
					continue
				}
				settings := &networking.TrafficPolicy_PortTrafficPolicy{
					Port: &networking.PortSelector{Number: uint32(port)},
					Tls: &networking.ClientTLSSettings{
						Mode:            networking.ClientTLSSettings_ISTIO_MUTUAL,
						Sni:             l.sni(srv.entry.Name, srv.host, namespace),
						SubjectAltNames: l.gatewayIdentities(),
					},
				}
				if s.needsSubsets() {
					spec.Subsets = append(spec.Subsets, subset(srv.subset(), settings))
					continue
				}
				if spec.TrafficPolicy == nil {
					spec.TrafficPolicy = &networking.TrafficPolicy{}
				}
				spec.TrafficPolicy.PortLevelSettings = append(spec.TrafficPolicy.PortLevelSettings, settings)
			}
		}
		if spec.TrafficPolicy != nil {
			slices.SortFunc(spec.TrafficPolicy.PortLevelSettings, func(a, b *networking.TrafficPolicy_PortTrafficPolicy) int {
				return int(a.GetPort().GetNumber()) - int(b.GetPort().GetNumber())
			})
		}
		objects = append(objects, object(stageClientRule, istioBody(networkingV1, "DestinationRule", meta{
			name: l.objectName("egw"), namespace: namespace, labels: l.labels(),
		}, spec, nil)))
	}
	return objects
}

// upstreamRules returns the DestinationRules that upgrade requests to TLS.
func (l *layout) upstreamRules() []manifest.Object {
	byHost := map[string]*networking.DestinationRule{}
	for _, e := range l.entries {
		if !e.upgraded() {
			continue
		}
		upstream := map[string]bool{}
		for _, host := range e.hosts {
			upstream[e.upstreamHost(host)] = true
		}
		for host := range upstream {
			if byHost[host] == nil {
				byHost[host] = &networking.DestinationRule{Host: host, ExportTo: []string{"."}}
			}
			byHost[host].Subsets = append(byHost[host].Subsets, subset(l.subsetName(e), &networking.TrafficPolicy_PortTrafficPolicy{
				Port: &networking.PortSelector{Number: uint32(e.HTTPSUpgrade.Port)},
				Tls:  upgradeTLS(e.TLS),
			}))
		}
	}
	var objects []manifest.Object
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		objects = append(objects, object(stageUpstreamRule, istioBody(networkingV1, "DestinationRule", meta{
			name: l.objectName(slug(host)), namespace: l.ref.Namespace, labels: l.labels(),
		}, byHost[host], nil)))
	}
	return objects
}

// upgradeTLS returns the settings of the gateway's TLS to the upstream.
func upgradeTLS(t *TLS) *networking.ClientTLSSettings {
	settings := &networking.ClientTLSSettings{Mode: networking.ClientTLSSettings_SIMPLE}
	if t == nil {
		return settings
	}
	if t.Mode == Mutual {
		settings.Mode = networking.ClientTLSSettings_MUTUAL
	}
	if t.CredentialName != nil {
		settings.CredentialName = *t.CredentialName
	}
	if t.SNI != nil {
		settings.Sni = *t.SNI
	}
	settings.SubjectAltNames = distinct(t.SubjectAltNames)
	if t.InsecureSkipVerify != nil && *t.InsecureSkipVerify {
		settings.InsecureSkipVerify = wrapperspb.Bool(true)
	}
	return settings
}

func subset(name string, settings *networking.TrafficPolicy_PortTrafficPolicy) *networking.Subset {
	return &networking.Subset{
		Name: name,
		TrafficPolicy: &networking.TrafficPolicy{
			PortLevelSettings: []*networking.TrafficPolicy_PortTrafficPolicy{settings},
		},
	}
}
