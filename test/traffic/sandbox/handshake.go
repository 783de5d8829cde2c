package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
)

// Identity is the folder, relative to the root of its container, in which pilot-agent
// writes the certificate of a pod that asks for it: the value of OUTPUT_CERTS. The names
// of the files are in istio.io/istio/security/pkg/nodeagent/util/util.go.
const Identity = "etc/istio/proxy"

// handshake shows the peer the pod's own certificate and returns whose the peer's is. It
// has to be signed by the mesh; who it names is for the caller to judge. In TLS 1.3 the
// client is done before the server has looked at its certificate: an answer does not say
// that the server takes it.
func (w *workload) handshake(ctx context.Context, call Call) (Answer, error) {
	file := func(name string) string { return filepath.Join(w.identity, name) }
	own, err := tls.LoadX509KeyPair(file("cert-chain.pem"), file("key.pem"))
	if err != nil {
		return Answer{}, err
	}
	pem, err := os.ReadFile(file("root-cert.pem"))
	if err != nil {
		return Answer{}, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName: call.SNI, Certificates: []tls.Certificate{own}, NextProtos: []string{"istio"},
		// A mesh knows no host names: the chain is verified below.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			intermediates := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				intermediates.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
			return err
		},
	}}
	conn, err := dialer.DialContext(ctx, "tcp", call.Address)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	connection, ok := conn.(*tls.Conn)
	if !ok {
		return Answer{}, errors.New("not a TLS connection")
	}
	var answer Answer
	for _, uri := range connection.ConnectionState().PeerCertificates[0].URIs {
		answer.Identities = append(answer.Identities, uri.String())
	}
	return answer, nil
}
