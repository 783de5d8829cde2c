package adopt

import (
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// A Gateway opens ports of the pods that it selects, for hosts.
type gateway struct {
	*object

	selector map[string]string
	servers  []*server
}

type server struct {
	*part

	gateway  *gateway
	number   int64
	protocol string
	hosts    []string // without the namespace before the slash
	tls      string   // mode, empty without TLS
	// callers are the only ones that get through the handshake; none: all.
	callers []caller
	tlsAt   fields.Field
}

// The modes of TLS that matter here.
const (
	modeDisable     = "DISABLE"
	modeSimple      = "SIMPLE"
	modeMutual      = "MUTUAL"
	modeIstioMutual = "ISTIO_MUTUAL"
	modePassthrough = "PASSTHROUGH"
)

// meshCertificates is where releases before 1.5 had a workload's own
// certificate. MUTUAL with those files was how ISTIO_MUTUAL was said.
const meshCertificates = "/etc/certs/"

func readGateway(o *object) *gateway {
	g := &gateway{object: o}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	g.selector = s.Take("selector").TextMap()
	for _, element := range s.Take("servers").List() {
		g.servers = append(g.servers, g.readServer(element))
	}
	s.Done()
	return g
}

func (g *gateway) readServer(f fields.Field) *server {
	s := &server{part: g.newPart(f, "no call of a declared host arrives here"), gateway: g}
	o := s.at.Object()
	port := o.Take("port").Object()
	s.number = port.Take("number").RequiredInteger()
	s.protocol = strings.ToUpper(port.Take("protocol").RequiredText())
	// A name is the server's own; the number decides where it is reached.
	port.Take("name").Text()
	s.lose(port.Take("targetPort"), "the port of the pods is assigned")
	port.Done()
	for _, host := range o.Take("hosts").Texts() {
		if _, name, ok := strings.Cut(host, "/"); ok {
			host = name
		}
		s.hosts = append(s.hosts, strings.ToLower(host))
	}
	o.Take("bind").Refuse("the server listens on one address only; the ports of a policy are open to the mesh")
	o.Take("name").Text()
	o.Take("defaultEndpoint").Refuse("what arrives is handed to another process in the pod")
	s.tlsAt = o.Take("tls")
	s.readTLS(s.tlsAt.Object())
	o.Done()
	return s
}

func (s *server) readTLS(o *fields.Object) {
	if !o.There() {
		return
	}
	mode := o.Take("mode")
	s.tls = modePassthrough
	if text := mode.NonEmpty(); text != nil {
		s.tls = *text
	}
	files := true
	for _, name := range []string{"serverCertificate", "privateKey", "caCertificates"} {
		file := o.Take(name)
		if path := file.NonEmpty(); path != nil && (s.tls != modeMutual || !strings.HasPrefix(*path, meshCertificates)) {
			file.Fail("sidecars show the mesh's certificate to a gateway of this provider, and it shows its own; no other is taken")
		} else if path == nil {
			files = false
		}
	}
	switch {
	case s.tls == modeMutual && files:
		s.tls = modeIstioMutual
	case s.tls == modeIstioMutual, s.tls == modePassthrough:
	default:
		mode.Fail("%q: the caller itself speaks TLS with the gateway; to a gateway of this provider the sidecars do", s.tls)
	}
	for _, element := range o.Take("subjectAltNames").List() {
		name, isIdentity := strings.CutPrefix(element.RequiredText(), "spiffe://")
		parts := strings.Split(name, "/")
		if !isIdentity || len(parts) != 5 || parts[1] != "ns" || parts[3] != "sa" {
			element.Fail("%q is no service account of the mesh", element.Node.Value)
			continue
		}
		s.callers = append(s.callers, caller{parts[2], parts[4]})
	}
	for _, name := range []string{"httpsRedirect", "credentialName", "credentialNames", "verifyCertificateSpki", "verifyCertificateHash", "tlsCertificates"} {
		o.Take(name).Refuse("it decides who gets through; a policy has service_accounts for that")
	}
	for _, name := range []string{"minProtocolVersion", "maxProtocolVersion", "cipherSuites", "caCrl"} {
		s.lose(o.Take(name), "sidecars and gateways of one mesh settle this among themselves")
	}
	o.Done()
}

// terminates reports whether the gateway takes the sidecar's mutual TLS off.
func (s *server) terminates() bool { return s.tls == modeIstioMutual }

// serves returns the host by which the server is open for a host: itself, or
// the wildcard.
func (s *server) serves(host string) bool {
	for _, own := range s.hosts {
		if covers(own, host) {
			return true
		}
	}
	return false
}

// covers reports whether a name, or the wildcard that it is, covers a host,
// which may be a wildcard itself (pkg/config/host, Name.SubsetOf).
func covers(name, host string) bool {
	if suffix, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(host, suffix)
	}
	return name == host
}
