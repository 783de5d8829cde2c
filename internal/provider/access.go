package provider

import (
	"crypto/tls"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	certutil "k8s.io/client-go/util/cert"
)

// access has what block and environment say about server and credentials.
// Each value goes over what a kubeconfig or the pod gives.
type access struct {
	host          setting
	token         setting
	ca            setting
	certificate   setting
	key           setting
	insecure      setting
	tlsServerName setting
	proxy         setting
	exec          *Exec
}

func (c Config) access(getenv func(string) string) (access, diag.Diagnostics) {
	insecure, diags := chooseBool("insecure", c.Insecure, getenv)
	a := access{
		host:          choose("host", c.Host, getenv),
		token:         choose("token", c.Token, getenv),
		ca:            choose("cluster_ca_certificate", c.ClusterCACertificate, getenv),
		certificate:   choose("client_certificate", c.ClientCertificate, getenv),
		key:           choose("client_key", c.ClientKey, getenv),
		insecure:      insecure,
		tlsServerName: choose("tls_server_name", c.TLSServerName, getenv),
		proxy:         choose("proxy_url", c.ProxyURL, getenv),
		exec:          c.Exec,
	}
	if a.exec != nil && !a.token.inBlock() {
		// The plugin stands in the block, so it goes before a variable.
		a.token = setting{attribute: "token"}
	}
	return a, diags
}

// apply puts the settings over the target.
func (a access) apply(t *target) diag.Diagnostics {
	var diags diag.Diagnostics
	if a.insecure.isSet() {
		// client-go refuses a CA beside the switch; the switch is the more specific of
		// the two when the CA comes from a kubeconfig.
		t.cluster.InsecureSkipTLSVerify = true
		t.cluster.CertificateAuthority, t.cluster.CertificateAuthorityData = "", nil
		if a.ca.isSet() {
			diags.Append(a.insecure.fail("No check and a certificate to check with",
				"%s switches the check of the server's certificate off, and %s says what to check it with. Remove one of them.",
				upperFirst(a.insecure.String()), a.ca))
		}
	} else if a.ca.isSet() {
		t.cluster.InsecureSkipTLSVerify = false
		t.cluster.CertificateAuthority, t.cluster.CertificateAuthorityData = "", []byte(a.ca.value)
	}
	if a.tlsServerName.isSet() {
		t.cluster.TLSServerName = a.tlsServerName.value
	}
	if a.certificate.isSet() {
		t.user.ClientCertificate, t.user.ClientCertificateData = "", []byte(a.certificate.value)
	}
	if a.key.isSet() {
		t.user.ClientKey, t.user.ClientKeyData = "", []byte(a.key.value)
	}
	if a.token.isSet() {
		t.user.Token, t.user.TokenFile, t.user.Exec, t.user.AuthProvider = a.token.value, "", nil, nil
	}
	if a.exec != nil {
		t.user.Token, t.user.TokenFile, t.user.AuthProvider = "", "", nil
		t.user.Exec = a.exec.config()
	}
	if a.proxy.isSet() {
		t.cluster.ProxyURL = a.proxy.value
	}
	if a.host.isSet() {
		diags.Append(a.applyHost(t)...)
	}
	return diags
}

// applyHost sets the server. A host without a scheme is https when anything
// secret or anything about TLS is configured.
func (a access) applyHost(t *target) diag.Diagnostics {
	secure := a.insecure.isSet() || len(t.cluster.CertificateAuthorityData) > 0 || t.cluster.CertificateAuthority != "" ||
		len(t.user.ClientCertificateData) > 0 || t.user.ClientCertificate != "" ||
		t.user.Token != "" || t.user.TokenFile != "" || t.user.Exec != nil
	server, _, err := rest.DefaultServerURL(a.host.value, "", schema.GroupVersion{}, secure)
	if err != nil || server.Scheme != "https" && server.Scheme != "http" || server.Hostname() == "" {
		// The error repeats the value, with a password if there is one.
		return diag.Diagnostics{a.host.fail("Not the address of an API server",
			"%s is %q. It takes the form https://10.0.0.1:6443.", upperFirst(a.host.String()), redact(a.host.value))}
	}
	t.cluster.Server, t.endpoint = server.String(), a.host.String()
	if server.Scheme == "http" {
		// clientcmd reads no credentials for a plain connection.
		for _, s := range []setting{a.token, a.certificate} {
			if s.isSet() {
				return diag.Diagnostics{a.host.warn("Credentials are not sent over plain HTTP",
					"%s is %q, so %s is not used. Write https:// unless a proxy such as `kubectl proxy` listens there.",
					upperFirst(a.host.String()), redact(a.host.value), s)}
			}
		}
	}
	return nil
}

func (e Exec) config() *clientcmdapi.ExecConfig {
	config := &clientcmdapi.ExecConfig{
		APIVersion:      e.APIVersion,
		Command:         e.Command,
		Args:            e.Args,
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}
	for name, value := range e.Env {
		config.Env = append(config.Env, clientcmdapi.ExecEnvVar{Name: name, Value: value})
	}
	slices.SortFunc(config.Env, func(a, b clientcmdapi.ExecEnvVar) int { return strings.Compare(a.Name, b.Name) })
	return config
}

// check finds what can be wrong with the target without a connection. No
// message has a secret in it.
func (t target) check(a access) diag.Diagnostics {
	var diags diag.Diagnostics
	if t.cluster.Server == "" {
		diags.Append(t.origin.fail("No address of an API server", "%s leads to a cluster that has no server.", upperFirst(t.origin.String())))
	}
	if t.cluster.ProxyURL != "" {
		diags.Append(checkProxy(t.cluster.ProxyURL, a.proxy.or(t.origin))...)
	}
	diags.Append(checkCA(t.cluster, a.ca.or(t.origin))...)
	diags.Append(t.checkClientCertificate(a)...)
	return diags
}

// or returns the setting, or the other if it is not set.
func (s setting) or(other setting) setting {
	if s.isSet() {
		return s
	}
	return other
}

func checkProxy(value string, source setting) diag.Diagnostics {
	parsed, err := url.Parse(value)
	if err == nil && slices.Contains([]string{"http", "https", "socks5"}, parsed.Scheme) && parsed.Host != "" {
		return nil
	}
	return diag.Diagnostics{source.fail("Not the address of a proxy",
		"%s leads to the proxy %q. It takes a URL such as http://proxy.example:3128, with the scheme http, https or socks5.",
		upperFirst(source.String()), redact(value))}
}

func checkCA(cluster clientcmdapi.Cluster, source setting) diag.Diagnostics {
	data, from := cluster.CertificateAuthorityData, ""
	if len(data) == 0 && cluster.CertificateAuthority != "" {
		from = cluster.CertificateAuthority
		read, err := os.ReadFile(from)
		if err != nil {
			return diag.Diagnostics{source.fail("Cannot read the cluster's CA certificate",
				"%s leads to %q: %s.", upperFirst(source.String()), from, reason(err))}
		}
		data = read
	}
	if len(data) == 0 {
		return nil
	}
	if _, err := certutil.ParseCertsPEM(data); err != nil {
		return diag.Diagnostics{source.fail("Not a CA certificate",
			"%s has no PEM certificate that can be read%s: %s. It starts with -----BEGIN CERTIFICATE-----; "+
				"the value of a kubeconfig file goes through base64decode() first.",
			upperFirst(source.String()), inFile(from), err)}
	}
	return nil
}

func (t target) checkClientCertificate(a access) diag.Diagnostics {
	certificate, err := content(t.user.ClientCertificateData, t.user.ClientCertificate)
	if err != nil {
		s := a.certificate.or(t.origin)
		return diag.Diagnostics{s.fail("Cannot read the client certificate", "%s leads to %q: %s.",
			upperFirst(s.String()), t.user.ClientCertificate, reason(err))}
	}
	key, err := content(t.user.ClientKeyData, t.user.ClientKey)
	if err != nil {
		s := a.key.or(t.origin)
		return diag.Diagnostics{s.fail("Cannot read the client key", "%s leads to %q: %s.",
			upperFirst(s.String()), t.user.ClientKey, reason(err))}
	}
	switch {
	case len(certificate) == 0 && len(key) == 0:
		return nil
	case len(certificate) == 0:
		s := a.key.or(t.origin)
		return diag.Diagnostics{s.fail("A client key without a certificate",
			"%s gives a client key. Its certificate is missing: set `client_certificate` or %s.",
			upperFirst(s.String()), variables["client_certificate"])}
	case len(key) == 0:
		s := a.certificate.or(t.origin)
		return diag.Diagnostics{s.fail("A client certificate without a key",
			"%s gives a client certificate. Its key is missing: set `client_key` or %s.",
			upperFirst(s.String()), variables["client_key"])}
	}
	if _, err := certutil.ParseCertsPEM(certificate); err != nil {
		s := a.certificate.or(t.origin)
		return diag.Diagnostics{s.fail("Not a client certificate", "%s has no PEM certificate that can be read%s: %s.",
			upperFirst(s.String()), inFile(t.user.ClientCertificate), err)}
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		s := a.key.or(t.origin)
		return diag.Diagnostics{s.fail("Not the key of the client certificate", "%s does not go with the client certificate%s: %s.",
			upperFirst(s.String()), inFile(t.user.ClientKey), err)}
	}
	return nil
}

// content returns data, or else what is in the file.
func content(data []byte, file string) ([]byte, error) {
	if len(data) > 0 || file == "" {
		return data, nil
	}
	return os.ReadFile(file)
}

func inFile(name string) string {
	if name == "" {
		return ""
	}
	return " in the file " + name
}

// redact hides a password in a URL, and the whole of what cannot be parsed but
// has a user part.
func redact(value string) string {
	if !strings.Contains(value, "@") {
		return value
	}
	if parsed, err := url.Parse(value); err == nil && parsed.User != nil {
		return parsed.Redacted()
	}
	return "(not shown: it may hold a password)"
}
