package provider

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// connection is what a test compares of a rest.Config.
type connection struct {
	Host, Token, TokenFile, CA, Certificate, Key, ServerName, Proxy string
	Insecure                                                        bool
}

func summarize(t *testing.T, config *Connection) *connection {
	t.Helper()
	if config == nil {
		return nil
	}
	c := &connection{
		Host: config.Host, Token: config.BearerToken, TokenFile: config.BearerTokenFile,
		CA: string(config.CAData), Certificate: string(config.CertData), Key: string(config.KeyData),
		ServerName: config.ServerName, Insecure: config.Insecure,
	}
	if config.Proxy != nil {
		proxy, err := config.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "any"}})
		must(t, err)
		c.Proxy = proxy.String()
	}
	return c
}

// The precedence is that of hashicorp/kubernetes 3.2
// (kubernetes/provider.go, initializeConfiguration, and docs/index.md,
// "Argument Reference").
func TestPrecedence(t *testing.T) {
	var (
		file    = write(t, "config", kubeconfig)
		other   = write(t, "other", otherKubeconfig)
		client  = newPair(t)
		ca      = newPair(t).certificate
		ann     = connection{Host: "https://east.example:6443", Token: "token-of-ann", Insecure: true}
		bob     = connection{Host: "https://west.example:6443", Token: "token-of-bob", ServerName: "inside.west.example"}
		home    = filepath.Dir(file)
		several = file + string(os.PathListSeparator) + other
	)
	cases := map[string]struct {
		config Config
		env    map[string]string
		want   *connection
	}{
		"nothing": {},
		"KUBECONFIG, KUBERNETES_MASTER and ~/.kube/config are not read": {
			env: map[string]string{"KUBECONFIG": file, "KUBERNETES_MASTER": "http://localhost:8080", "HOME": home},
		},
		"config_path":           {config: Config{ConfigPath: &file}, want: &ann},
		"config_path with ~":    {config: Config{ConfigPath: ptr("~/config")}, env: map[string]string{"HOME": home}, want: &ann},
		"KUBE_CONFIG_PATH":      {env: map[string]string{"KUBE_CONFIG_PATH": file}, want: &ann},
		"KUBE_CONFIG_PATHS":     {env: map[string]string{"KUBE_CONFIG_PATHS": several}, want: &ann},
		"config_paths in order": {config: Config{ConfigPaths: []string{file, other}}, want: &ann},
		"a later file adds": {
			config: Config{ConfigPaths: []string{file, other}, ConfigContext: ptr("third")},
			want:   &connection{Host: "https://south.example:6443", Token: "token-of-ann"},
		},
		"config_path over KUBE_CONFIG_PATH":        {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CONFIG_PATH": other}, want: &ann},
		"config_path over KUBE_CONFIG_PATHS":       {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CONFIG_PATHS": other}, want: &ann},
		"config_paths over KUBE_CONFIG_PATH":       {config: Config{ConfigPaths: []string{file}}, env: map[string]string{"KUBE_CONFIG_PATH": other}, want: &ann},
		"config_paths over KUBE_CONFIG_PATHS":      {config: Config{ConfigPaths: []string{file}}, env: map[string]string{"KUBE_CONFIG_PATHS": other}, want: &ann},
		"KUBE_CONFIG_PATH over KUBE_CONFIG_PATHS":  {env: map[string]string{"KUBE_CONFIG_PATH": file, "KUBE_CONFIG_PATHS": other}, want: &ann},
		"an empty config_path hides the variable":  {config: Config{ConfigPath: ptr("")}, env: map[string]string{"KUBE_CONFIG_PATH": file}},
		"an empty config_paths does not":           {config: Config{ConfigPaths: []string{}}, env: map[string]string{"KUBE_CONFIG_PATHS": file}, want: &ann},
		"config_context":                           {config: Config{ConfigPath: &file, ConfigContext: ptr("second")}, want: &bob},
		"KUBE_CTX":                                 {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CTX": "second"}, want: &bob},
		"config_context over KUBE_CTX":             {config: Config{ConfigPath: &file, ConfigContext: ptr("second")}, env: map[string]string{"KUBE_CTX": "first"}, want: &bob},
		"config_context_cluster over config's":     {config: Config{ConfigPath: &file, ConfigContextCluster: ptr("west")}, want: &connection{Host: bob.Host, Token: ann.Token, ServerName: bob.ServerName}},
		"config_context_cluster over KUBE_CTX_...": {config: Config{ConfigPath: &file, ConfigContextCluster: ptr("west")}, env: map[string]string{"KUBE_CTX_CLUSTER": "east"}, want: &connection{Host: bob.Host, Token: ann.Token, ServerName: bob.ServerName}},
		"KUBE_CTX_CLUSTER":                         {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CTX_CLUSTER": "west"}, want: &connection{Host: bob.Host, Token: ann.Token, ServerName: bob.ServerName}},
		"config_context_auth_info":                 {config: Config{ConfigPath: &file, ConfigContextAuthInfo: ptr("bob")}, want: &connection{Host: ann.Host, Token: bob.Token, Insecure: true}},
		"KUBE_CTX_AUTH_INFO":                       {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_CTX_AUTH_INFO": "bob"}, want: &connection{Host: ann.Host, Token: bob.Token, Insecure: true}},
		"config_context_auth_info over variable":   {config: Config{ConfigPath: &file, ConfigContextAuthInfo: ptr("bob")}, env: map[string]string{"KUBE_CTX_AUTH_INFO": "ann"}, want: &connection{Host: ann.Host, Token: bob.Token, Insecure: true}},
		"a context replaces a lost cluster":        {config: Config{ConfigPath: &file, ConfigContext: ptr("astray"), ConfigContextCluster: ptr("east")}, want: &ann},
		"KUBE_CTX without a file means nothing":    {config: Config{Host: ptr("https://h.example")}, env: map[string]string{"KUBE_CTX": "second"}, want: &connection{Host: "https://h.example"}},
		"host and token":                           {config: Config{Host: ptr("https://h.example"), Token: ptr("t")}, want: &connection{Host: "https://h.example", Token: "t"}},
		"KUBE_HOST and KUBE_TOKEN":                 {env: map[string]string{"KUBE_HOST": "https://h.example", "KUBE_TOKEN": "t"}, want: &connection{Host: "https://h.example", Token: "t"}},
		"host over KUBE_HOST":                      {config: Config{Host: ptr("https://h.example")}, env: map[string]string{"KUBE_HOST": "https://e.example", "KUBE_TOKEN": "t"}, want: &connection{Host: "https://h.example", Token: "t"}},
		"token over KUBE_TOKEN":                    {config: Config{Host: ptr("https://h.example"), Token: ptr("t")}, env: map[string]string{"KUBE_TOKEN": "e"}, want: &connection{Host: "https://h.example", Token: "t"}},
		"host over the file's":                     {config: Config{ConfigPath: &file, Host: ptr("https://h.example")}, want: &connection{Host: "https://h.example", Token: ann.Token, Insecure: true}},
		"KUBE_HOST over the file's":                {config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_HOST": "https://h.example"}, want: &connection{Host: "https://h.example", Token: ann.Token, Insecure: true}},
		"token over the file's":                    {config: Config{ConfigPath: &file, Token: ptr("t")}, want: &connection{Host: ann.Host, Token: "t", Insecure: true}},
		"certificates": {
			config: Config{Host: ptr("https://h.example"), ClientCertificate: &client.certificate, ClientKey: &client.key, ClusterCACertificate: &ca},
			want:   &connection{Host: "https://h.example", Certificate: client.certificate, Key: client.key, CA: ca},
		},
		"certificates of the environment": {
			config: Config{Host: ptr("https://h.example")},
			env:    map[string]string{"KUBE_CLIENT_CERT_DATA": client.certificate, "KUBE_CLIENT_KEY_DATA": client.key, "KUBE_CLUSTER_CA_CERT_DATA": ca},
			want:   &connection{Host: "https://h.example", Certificate: client.certificate, Key: client.key, CA: ca},
		},
		"a CA ends the file's insecure":        {config: Config{ConfigPath: &file, ClusterCACertificate: &ca}, want: &connection{Host: ann.Host, Token: ann.Token, CA: ca}},
		"insecure":                             {config: Config{Host: ptr("https://h.example"), Insecure: ptr(true)}, want: &connection{Host: "https://h.example", Insecure: true}},
		"KUBE_INSECURE":                        {config: Config{Host: ptr("https://h.example")}, env: map[string]string{"KUBE_INSECURE": "1"}, want: &connection{Host: "https://h.example", Insecure: true}},
		"KUBE_INSECURE=false":                  {config: Config{Host: ptr("https://h.example")}, env: map[string]string{"KUBE_INSECURE": "false"}, want: &connection{Host: "https://h.example"}},
		"insecure = false over KUBE_INSECURE":  {config: Config{Host: ptr("https://h.example"), Insecure: ptr(false)}, env: map[string]string{"KUBE_INSECURE": "true"}, want: &connection{Host: "https://h.example"}},
		"tls_server_name":                      {config: Config{Host: ptr("https://h.example"), TLSServerName: ptr("in.example")}, want: &connection{Host: "https://h.example", ServerName: "in.example"}},
		"KUBE_TLS_SERVER_NAME over the file's": {config: Config{ConfigPath: &file, ConfigContext: ptr("second")}, env: map[string]string{"KUBE_TLS_SERVER_NAME": "in.example"}, want: &connection{Host: bob.Host, Token: bob.Token, ServerName: "in.example"}},
		"proxy_url over KUBE_PROXY_URL":        {config: Config{Host: ptr("https://h.example"), ProxyURL: ptr("socks5://p.example:1080")}, env: map[string]string{"KUBE_PROXY_URL": "http://e.example"}, want: &connection{Host: "https://h.example", Proxy: "socks5://p.example:1080"}},
		"KUBE_PROXY_URL":                       {config: Config{Host: ptr("https://h.example")}, env: map[string]string{"KUBE_PROXY_URL": "http://e.example:3128"}, want: &connection{Host: "https://h.example", Proxy: "http://e.example:3128"}},
		"a host without scheme and secrets":    {config: Config{Host: ptr("127.0.0.1:8001")}, want: &connection{Host: "http://127.0.0.1:8001"}},
		"a host without scheme, with a token":  {config: Config{Host: ptr("10.0.0.1:6443"), Token: ptr("t")}, want: &connection{Host: "https://10.0.0.1:6443", Token: "t"}},
		"a host without scheme, with a CA":     {config: Config{Host: ptr("10.0.0.1:6443"), ClusterCACertificate: &ca}, want: &connection{Host: "https://10.0.0.1:6443", CA: ca}},
		"a host with a path":                   {config: Config{Host: ptr("https://rancher.example/k8s/clusters/c-1")}, want: &connection{Host: "https://rancher.example/k8s/clusters/c-1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, diags := c.config.Connection(in(c.env))
			if diags.HasError() {
				t.Fatal(summaries(diags))
			}
			if diff := cmp.Diff(c.want, summarize(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	host := ptr("https://h.example")
	cases := map[string]struct {
		config Config
		qps    float32
		burst  int
	}{
		"none":      {Config{Host: host}, -1, 0},
		"qps":       {Config{Host: host, QPS: ptr(20.0)}, 20, 40},
		"slow":      {Config{Host: host, QPS: ptr(0.1)}, 0.1, 1},
		"qps burst": {Config{Host: host, QPS: ptr(20.0), Burst: ptr(int64(5))}, 20, 5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, diags := c.config.Connection(in(nil))
			if len(diags) > 0 || got.QPS != c.qps || got.Burst != c.burst {
				t.Errorf("qps %v, burst %v, %v", got.QPS, got.Burst, summaries(diags))
			}
		})
	}
}

// Messages about a server that does not answer say where its address comes from.
func TestEndpoint(t *testing.T) {
	file := write(t, "config", kubeconfig)
	cases := map[string]struct {
		config Config
		env    map[string]string
		want   string
	}{
		"attribute": {config: Config{Host: ptr("https://h.example")}, want: "`host`"},
		"variable":  {env: map[string]string{"KUBE_HOST": "https://h.example"}, want: "the environment variable KUBE_HOST"},
		"file":      {config: Config{ConfigPath: &file}, want: `the context "first" of "` + file + "\", from `config_path`"},
		"host over a file": {
			config: Config{ConfigPath: &file}, env: map[string]string{"KUBE_HOST": "https://h.example"},
			want: "the environment variable KUBE_HOST",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, diags := c.config.Connection(in(c.env))
			if len(diags) > 0 || got.Endpoint != c.want {
				t.Errorf("%q %v", got.Endpoint, summaries(diags))
			}
		})
	}
}
