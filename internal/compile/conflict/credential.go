package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// The gateway gets its certificates from Secrets of its own namespace, and its
// connections never begin without them. The client certificate is `cert` with
// `key`, or `tls.crt` with `tls.key`; the authority `cacert` or `ca.crt`, of a
// Secret `<name>-cacert` if there is one, else of the Secret itself. It is
// demanded also where the server has a public certificate (istio/istio#39166).
// Source: pilot/pkg/credentials/kube/secrets.go, ExtractCertInfo, GetCaCert.

// caSuffix ends the name of a Secret that holds the authority alone.
// Source: pkg/model/credentials, SdsCaSuffix.
const caSuffix = "-cacert"

// configMapScheme begins the name of a credential that is a ConfigMap.
const configMapScheme = "configmap://"

// Secrets returns the Secrets of the gateway's namespace that the policy's
// credentials may be in.
func Secrets(p policy.Policy) []string {
	names := map[string]bool{}
	eachCredential(p, func(_ []any, t policy.TLS) {
		names[*t.CredentialName] = true
		names[*t.CredentialName+caSuffix] = true
	})
	return slices.Sorted(maps.Keys(names))
}

func eachCredential(p policy.Policy, do func(path []any, t policy.TLS)) {
	if p.ByEgressGateway == nil {
		return
	}
	eachEntry(p, func(path []any, _ policy.Rule, to policy.To) {
		if to.TLS != nil && to.TLS.CredentialName != nil && !strings.HasPrefix(*to.TLS.CredentialName, configMapScheme) {
			do(at(path, "tls", "credential_name"), *to.TLS)
		}
	})
}

func (c *check) credentials() {
	eachCredential(c.Policy, func(path []any, t policy.TLS) {
		name := *t.CredentialName
		secret, looked := c.Live.Secrets[name]
		authority, lookedCA := c.Live.Secrets[name+caSuffix]
		if !looked || !lookedCA {
			return
		}
		skip := t.InsecureSkipVerify != nil && *t.InsecureSkipVerify
		missing := func(summary, format string, args ...any) {
			// Like another policy, the Secret may change earlier in the same run.
			c.tell(Conflict{Problem: compile.Problem{Path: path, Summary: summary, Detail: fmt.Sprintf(format, args...), Warning: true}, Movable: true})
		}
		full := c.Policy.ByEgressGateway.Namespace + "/" + name
		if !secret.Exists && (t.Mode == policy.Mutual || !authority.Exists) {
			c.tell(Conflict{Problem: compile.Problem{
				Path: path, Summary: "Secret of the credential does not exist", Warning: true,
				Detail: fmt.Sprintf("There is no Secret %s now. Until it is created in the gateway's namespace, calls fail with 503. Create it there.", full),
			}})
			return
		}
		if t.Mode == policy.Mutual && !holds(secret, "cert", "key") && !holds(secret, "tls.crt", "tls.key") {
			missing("Secret has no client certificate", "Mode MUTUAL takes tls.crt and tls.key (or cert and key) from Secret %s, which has %s. Add the keys.", full, keyText(secret))
		}
		if skip {
			return
		}
		from, in := secret, full
		if authority.Exists {
			from, in = authority, full+caSuffix
		}
		if !holds(from, "cacert") && !holds(from, "ca.crt") {
			missing("Secret has no certificate authority",
				"Istio verifies the server with ca.crt (or cacert) of Secret %s, which has %s. Without it calls fail with 503, also where the server's certificate is a public one. "+
					"Add the key, or a Secret %s with ca.crt.", in, keyText(from), full+caSuffix)
		}
	})
}

func holds(secret Secret, keys ...string) bool {
	for _, key := range keys {
		if !slices.Contains(secret.Keys, key) {
			return false
		}
	}
	return true
}

func keyText(secret Secret) string {
	if len(secret.Keys) == 0 {
		return "no keys"
	}
	return "only " + strings.Join(slices.Sorted(slices.Values(secret.Keys)), ", ")
}
