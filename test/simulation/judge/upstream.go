package judge

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"istio.io/istio/pilot/pkg/xds/endpoints"

	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// upstream is where a cluster leads.
type upstream struct {
	// original is whether the connection goes where the caller dialled.
	original  bool
	endpoints []endpoint
	// mutual is whether the mesh's mutual TLS is spoken, with sni, to whom of peers.
	mutual bool
	sni    string
	peers  []*matcherv3.StringMatcher
	// tls is any other TLS that is spoken.
	tls scenario.Origination
}

type endpoint struct {
	host string
	port int64
}

// What Istio calls its own certificate and root in SDS.
const (
	meshCertificate = "default"
	systemRoots     = "file-root:system"
	credentials     = "kubernetes://"
	authorities     = "-cacert"
)

// upstream resolves a cluster of a proxy. host is the Host header, from which
// Envoy takes the server name where it is told to.
func (m *Mesh) upstream(v *view, name, host string) (upstream, error) {
	c, ok := v.cluster(name)
	if !ok {
		return upstream{}, fmt.Errorf("there is no cluster %s", name)
	}
	up := upstream{}
	var lb []*endpointv3.LocalityLbEndpoints
	switch c.GetType() {
	case clusterv3.Cluster_ORIGINAL_DST:
		up.original = true
	case clusterv3.Cluster_EDS:
		builder := endpoints.NewEndpointBuilder(name, v.proxy, m.server.PushContext())
		lb = builder.BuildClusterLoadAssignment(m.server.Env().EndpointIndex).GetEndpoints()
	case clusterv3.Cluster_STATIC, clusterv3.Cluster_STRICT_DNS, clusterv3.Cluster_LOGICAL_DNS:
		lb = c.GetLoadAssignment().GetEndpoints()
	default:
		panic(fmt.Sprintf("judge: cluster %s of type %s is not followed", name, c.GetType()))
	}
	socket := c.GetTransportSocket()
	for _, locality := range lb {
		for _, e := range locality.GetLbEndpoints() {
			address := e.GetEndpoint().GetAddress().GetSocketAddress()
			if address == nil {
				panic(fmt.Sprintf("judge: an endpoint of %s is no socket: %v", name, e))
			}
			up.endpoints = append(up.endpoints, endpoint{host: address.GetAddress(), port: int64(address.GetPortValue())})
			if matched := matchSocket(c, e.GetMetadata()); matched != nil {
				socket = matched
			}
		}
	}
	if !up.original && len(up.endpoints) == 0 {
		return upstream{}, fmt.Errorf("cluster %s has no endpoint", name)
	}
	err := up.speak(c, socket, host)
	return up, err
}

// matchSocket returns the transport socket that Envoy picks for an endpoint by
// its metadata; nil if the cluster does not pick.
func matchSocket(c *clusterv3.Cluster, metadata *corev3.Metadata) *corev3.TransportSocket {
	labels := metadata.GetFilterMetadata()["envoy.transport_socket_match"].GetFields()
	for _, match := range c.GetTransportSocketMatches() {
		all := true
		for key, want := range match.GetMatch().GetFields() {
			got, ok := labels[key]
			all = all && ok && proto.Equal(got, want)
		}
		if all {
			return match.GetTransportSocket()
		}
	}
	return nil
}

// speak reads what TLS a transport socket speaks.
func (up *upstream) speak(c *clusterv3.Cluster, socket *corev3.TransportSocket, host string) error {
	if socket.GetTypedConfig() == nil {
		return nil
	}
	context, ok := unpack(socket.GetTypedConfig()).(*tlsv3.UpstreamTlsContext)
	if !ok {
		if strings.Contains(socket.GetName(), "raw_buffer") {
			return nil
		}
		panic("judge: a transport socket that is not TLS: " + socket.GetName())
	}
	common := context.GetCommonTlsContext()
	var certificate string
	for _, secret := range common.GetTlsCertificateSdsSecretConfigs() {
		certificate = secret.GetName()
	}
	if certificate == meshCertificate {
		up.mutual, up.sni = true, context.GetSni()
		up.peers = validation(common).GetMatchSubjectAltNames() //nolint:staticcheck // what Istio generates
		return nil
	}
	up.tls = scenario.Origination{Mode: "SIMPLE", SNI: context.GetSni(), CA: "none"}
	if certificate != "" {
		up.tls.Mode, up.tls.Certificate = "MUTUAL", strings.TrimPrefix(certificate, credentials)
	}
	if len(common.GetTlsCertificates()) > 0 {
		return errors.New("a client certificate from a file")
	}
	names := []string{}
	for _, n := range validation(common).GetMatchSubjectAltNames() { //nolint:staticcheck // what Istio generates
		names = append(names, n.GetExact())
	}
	if ca := common.GetCombinedValidationContext().GetValidationContextSdsSecretConfig().GetName(); ca == systemRoots {
		up.tls.CA = "system"
	} else if ca != "" {
		up.tls.CA = strings.TrimSuffix(strings.TrimPrefix(ca, credentials), authorities)
	} else if file := validation(common).GetTrustedCa().GetFilename(); file != "" {
		up.tls.CA = file
	}
	options := &httpv3.HttpProtocolOptions{}
	if box, ok := c.GetTypedExtensionProtocolOptions()["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]; ok {
		if err := box.UnmarshalTo(options); err != nil {
			panic(err)
		}
	}
	automatic := options.GetUpstreamHttpProtocolOptions()
	if automatic.GetAutoSni() && up.tls.SNI == "" {
		up.tls.SNI = withoutPort(host)
	}
	if automatic.GetAutoSanValidation() {
		names = append(names, withoutPort(host))
	}
	slices.Sort(names)
	up.tls.Names = strings.Join(names, ",")
	return nil
}

func withoutPort(name string) string {
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}
