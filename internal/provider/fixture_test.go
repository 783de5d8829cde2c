package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// pair is a self-signed certificate and its key, as PEM.
type pair struct{ certificate, key string }

func newPair(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pair{
		certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts a file into a directory of its own and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

// kubeconfig has two contexts, "first" being the current one, over two
// clusters and two users.
const kubeconfig = `apiVersion: v1
kind: Config
current-context: first
contexts:
- name: first
  context: {cluster: east, user: ann}
- name: second
  context: {cluster: west, user: bob}
- name: astray
  context: {cluster: nowhere, user: ann}
clusters:
- name: east
  cluster: {server: "https://east.example:6443", insecure-skip-tls-verify: true}
- name: west
  cluster: {server: "https://west.example:6443", tls-server-name: inside.west.example}
users:
- name: ann
  user: {token: token-of-ann}
- name: bob
  user: {token: token-of-bob}
`

// otherKubeconfig says another server for the cluster "east" and adds one.
const otherKubeconfig = `apiVersion: v1
kind: Config
current-context: third
contexts:
- name: third
  context: {cluster: south, user: ann}
clusters:
- name: east
  cluster: {server: "https://not-this.example:6443"}
- name: south
  cluster: {server: "https://south.example:6443"}
users:
- name: ann
  user: {token: not-this}
`

// in returns an environment with these variables and no service account.
func in(variables map[string]string) Environment {
	copied := maps.Clone(variables)
	return Environment{
		Getenv:         func(name string) string { return copied[name] },
		ServiceAccount: "/nonexistent/serviceaccount",
	}
}

func ptr[T any](v T) *T { return &v }

func summaries(diags diag.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		out = append(out, d.Severity().String()+": "+d.Summary()+": "+d.Detail())
	}
	return out
}
