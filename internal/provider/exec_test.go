package provider

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// What a credential plugin prints arrives at the server, over the token of a
// kubeconfig and of the environment.
func TestExec(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	file := write(t, "config", kubeconfig)
	plugin := &Exec{
		APIVersion: "client.authentication.k8s.io/v1",
		Command:    "sh",
		Args:       []string{"-c", `echo "$ANSWER"`},
		Env: map[string]string{
			"ANSWER": `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}`,
		},
	}

	cases := map[string]struct {
		config Config
		env    map[string]string
	}{
		"alone":             {config: Config{}},
		"over KUBE_TOKEN":   {env: map[string]string{"KUBE_TOKEN": "from-environment"}},
		"over a kubeconfig": {config: Config{ConfigPath: &file}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.config.Host, c.config.ClusterCACertificate, c.config.Exec = &server.URL, &ca, plugin
			config, diags := c.config.Connection(in(c.env))
			if len(diags) > 0 {
				t.Fatal(summaries(diags))
			}
			if got := authorization(t, config.Config); got != "Bearer from-plugin" {
				t.Errorf("Authorization: %q", got)
			}
		})
	}
}

// A plugin that is not there is named when a call needs it.
func TestExecMissing(t *testing.T) {
	config, diags := Config{
		Host: ptr("https://127.0.0.1:1"),
		Exec: &Exec{APIVersion: "client.authentication.k8s.io/v1", Command: "no-such-plugin"},
	}.Connection(in(nil))
	if len(diags) > 0 {
		t.Fatal(summaries(diags))
	}
	client, err := rest.HTTPClientFor(config.Config)
	must(t, err)
	if _, err = client.Get(config.Host); err == nil || !strings.Contains(err.Error(), "no-such-plugin") {
		t.Errorf("%v", err)
	}
}

func authorization(t *testing.T, config *rest.Config) string {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	must(t, err)
	response, err := client.Get(config.Host)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return string(body)
}
