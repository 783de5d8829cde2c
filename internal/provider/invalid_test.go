package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// Every error that needs no connection names the attribute or the variable
// and the value, and never a secret.
func TestInvalid(t *testing.T) {
	var (
		file   = write(t, "config", kubeconfig)
		broken = write(t, "broken", "contexts: [not: closed")
		none   = write(t, "none", "apiVersion: v1\nkind: Config\n")
		lost   = write(t, "lost", strings.Replace(kubeconfig, "current-context: first", "current-context: elsewhere", 1))
		noCA   = write(t, "no-ca", strings.Replace(kubeconfig, "insecure-skip-tls-verify: true", "certificate-authority: gone.crt", 1))
		badCA  = write(t, "bad-ca", strings.Replace(kubeconfig, "insecure-skip-tls-verify: true", "certificate-authority-data: bm90IHBlbQ==", 1))
		noHost = write(t, "no-host", strings.Replace(kubeconfig, `server: "https://east.example:6443", `, "", 1))
		proxy  = write(t, "proxy", strings.Replace(kubeconfig, "insecure-skip-tls-verify: true", `proxy-url: "ftp://u:hunter2@p.example"`, 1))
		one    = newPair(t)
		two    = newPair(t)
		host   = ptr("https://h.example")
	)
	cases := map[string]struct {
		config Config
		env    map[string]string
		// at is the attribute of the diagnostic, empty if the value is a variable's.
		at   string
		want []string
		// secret must not show.
		secret string
	}{
		"config_path": {config: Config{ConfigPath: ptr("/nonexistent/config")}, at: "config_path",
			want: []string{"config_path", "/nonexistent/config", "no such file"}},
		"KUBE_CONFIG_PATH": {env: map[string]string{"KUBE_CONFIG_PATH": "/nonexistent/config"},
			want: []string{"KUBE_CONFIG_PATH", "/nonexistent/config", "no such file"}},
		"one of config_paths": {config: Config{ConfigPaths: []string{file, "/nonexistent/config"}}, at: "config_paths",
			want: []string{"config_paths", "/nonexistent/config", "no such file"}},
		"one of KUBE_CONFIG_PATHS": {env: map[string]string{"KUBE_CONFIG_PATHS": file + ":/nonexistent/config"},
			want: []string{"KUBE_CONFIG_PATHS", "/nonexistent/config"}},
		"a directory":         {config: Config{ConfigPath: ptr("/")}, at: "config_path", want: []string{`"/"`, "is a directory"}},
		"home of another":     {config: Config{ConfigPath: ptr("~ann/config")}, at: "config_path", want: []string{"~ann/config"}},
		"no home":             {config: Config{ConfigPath: ptr("~/config")}, at: "config_path", want: []string{"~/config", "HOME"}},
		"not YAML":            {config: Config{ConfigPath: &broken}, at: "config_path", want: []string{"config_path", broken}},
		"content, not a path": {config: Config{ConfigPath: ptr(kubeconfig)}, at: "config_path", want: []string{"config_path", "path"}, secret: "token-of-ann"},
		"config_context": {config: Config{ConfigPath: &file, ConfigContext: ptr("prod")}, at: "config_context",
			want: []string{"config_context", `"prod"`, file, "astray, first, second"}},
		"KUBE_CTX": {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CTX": "prod"},
			want: []string{"KUBE_CTX", `"prod"`, file}},
		"config_context_cluster": {config: Config{ConfigPath: &file, ConfigContextCluster: ptr("north")}, at: "config_context_cluster",
			want: []string{"config_context_cluster", `"north"`, "east, west"}},
		"config_context_auth_info": {config: Config{ConfigPath: &file, ConfigContextAuthInfo: ptr("eve")}, at: "config_context_auth_info",
			want: []string{"config_context_auth_info", `"eve"`, "ann, bob"}},
		"context of a lost cluster": {config: Config{ConfigPath: &file, ConfigContext: ptr("astray")}, at: "config_context",
			want: []string{"config_context", `"nowhere"`, "east, west"}},
		"no current context":   {config: Config{ConfigPath: &none}, at: "config_path", want: []string{none, "config_context", "KUBE_CTX"}},
		"lost current context": {config: Config{ConfigPath: &lost}, at: "config_path", want: []string{`"elsewhere"`, lost}},
		"context without file": {config: Config{ConfigContext: ptr("prod")}, at: "config_context", want: []string{`"prod"`, "config_path", "KUBE_CONFIG_PATH"}},
		"cluster without server": {config: Config{ConfigPath: &noHost}, at: "config_path",
			want: []string{"server", "config_path"}},
		"CA file of the kubeconfig": {config: Config{ConfigPath: &noCA}, at: "config_path", want: []string{"gone.crt", "no such file"}},
		"CA data of the kubeconfig": {config: Config{ConfigPath: &badCA}, at: "config_path", want: []string{"config_path", "PEM"}},
		"host":                      {config: Config{Host: ptr("https://")}, at: "host", want: []string{"`host`", `"https://"`, "https://10.0.0.1:6443"}},
		"host of a scheme": {config: Config{Host: ptr("tcp://h.example:6443")}, at: "host",
			want: []string{"`host`", "tcp://h.example:6443"}},
		"host with a space": {config: Config{Host: ptr("https://h. example")}, at: "host", want: []string{"`host`", "h. example"}},
		"KUBE_HOST":         {env: map[string]string{"KUBE_HOST": "https://h.example:port"}, want: []string{"KUBE_HOST", "h.example:port"}},
		"host with a password": {config: Config{Host: ptr("ftp://user:hunter2@h.example")}, at: "host",
			want: []string{"`host`", "ftp://user:xxxxx@h.example"}, secret: "hunter2"},
		"host that does not parse, with a password": {config: Config{Host: ptr("https://user:hunter2@h.example:port")}, at: "host",
			want: []string{"`host`", "not shown"}, secret: "hunter2"},
		"proxy_url": {config: Config{Host: host, ProxyURL: ptr("p.example:3128")}, at: "proxy_url", want: []string{"`proxy_url`", "p.example:3128"}},
		"KUBE_PROXY_URL": {config: Config{Host: host}, env: map[string]string{"KUBE_PROXY_URL": "ftp://u:hunter2@p.example"},
			want: []string{"KUBE_PROXY_URL", "ftp://u:xxxxx@p.example"}, secret: "hunter2"},
		"proxy of the kubeconfig": {config: Config{ConfigPath: &proxy}, at: "config_path", want: []string{"ftp://u:xxxxx@p.example"}, secret: "hunter2"},
		"cluster_ca_certificate": {config: Config{Host: host, ClusterCACertificate: ptr("LS0tLS1CRUdJTi")}, at: "cluster_ca_certificate",
			want: []string{"`cluster_ca_certificate`", "PEM", "base64decode"}, secret: "LS0tLS1CRUdJTi"},
		"KUBE_CLUSTER_CA_CERT_DATA": {config: Config{Host: host}, env: map[string]string{"KUBE_CLUSTER_CA_CERT_DATA": "x"},
			want: []string{"KUBE_CLUSTER_CA_CERT_DATA", "PEM"}},
		"client_certificate": {config: Config{Host: host, ClientCertificate: ptr("nonsense"), ClientKey: &one.key}, at: "client_certificate",
			want: []string{"`client_certificate`", "PEM"}},
		"client_key": {config: Config{Host: host, ClientCertificate: &one.certificate, ClientKey: ptr("c2VjcmV0")}, at: "client_key",
			want: []string{"`client_key`"}, secret: "c2VjcmV0"},
		"another's client_key": {config: Config{Host: host, ClientCertificate: &one.certificate, ClientKey: &two.key}, at: "client_key",
			want: []string{"`client_key`", "does not match"}, secret: two.key},
		"KUBE_CLIENT_KEY_DATA": {config: Config{Host: host, ClientCertificate: &one.certificate}, env: map[string]string{"KUBE_CLIENT_KEY_DATA": two.key},
			want: []string{"KUBE_CLIENT_KEY_DATA"}, secret: two.key},
		"certificate alone": {config: Config{Host: host, ClientCertificate: &one.certificate}, at: "client_certificate",
			want: []string{"`client_key`", "KUBE_CLIENT_KEY_DATA"}},
		"key alone": {config: Config{Host: host, ClientKey: &one.key}, at: "client_key",
			want: []string{"`client_certificate`", "KUBE_CLIENT_CERT_DATA"}, secret: one.key},
		"KUBE_INSECURE": {config: Config{Host: host}, env: map[string]string{"KUBE_INSECURE": "maybe"}, want: []string{"KUBE_INSECURE", "maybe"}},
		"insecure and a CA": {config: Config{Host: host, Insecure: ptr(true), ClusterCACertificate: &one.certificate}, at: "insecure",
			want: []string{"`insecure`", "`cluster_ca_certificate`"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, diags := c.config.Connection(in(c.env))
			if diags.ErrorsCount() != 1 {
				t.Fatalf("%d errors: %v", diags.ErrorsCount(), summaries(diags))
			}
			found := diags.Errors()[0]
			at := ""
			if located, ok := found.(diag.DiagnosticWithPath); ok {
				at = located.Path().String()
			}
			if at != c.at {
				t.Errorf("at attribute %q, want %q", at, c.at)
			}
			text := found.Summary() + "\n" + found.Detail()
			for _, want := range c.want {
				if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
					t.Errorf("does not say %q:\n%s", want, text)
				}
			}
			if c.secret != "" && strings.Contains(text, c.secret) {
				t.Errorf("shows a secret:\n%s", text)
			}
		})
	}
}

// A token is not sent over plain HTTP (clientcmd reads it for TLS only), and
// the user hears of it.
func TestPlainHTTP(t *testing.T) {
	config := Config{Host: ptr("http://127.0.0.1:8001"), Token: ptr("hunter2")}
	got, diags := config.Connection(in(nil))
	if len(diags) != 1 || diags[0].Severity() != diag.SeverityWarning || strings.Contains(diags[0].Detail(), "hunter2") {
		t.Errorf("%v", summaries(diags))
	}
	if got.BearerToken != "" {
		t.Error("the token is there")
	}
}
