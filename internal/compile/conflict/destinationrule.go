package conflict

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// A proxy looks for a DestinationRule in its own namespace, then in that of
// the service, then in the root namespace, and takes the most specific host of
// the first that has one (pilot/pkg/model/push_context.go, destinationRule).
// So a wildcard takes nothing from a rule of the policy, which names the exact
// host in the proxy's namespace. Another one for the exact host does: the two
// merge, the older with its settings first, or one of them is lost; and one
// with a workloadSelector hides those without (pilot/pkg/model/sidecar.go,
// DestinationRule; istio/istio#58322).
//
// Where the policy has no rule of its own, one that is picked is a danger only
// by its TLS: bytes that are TLS already would be wrapped again.
func (c *check) destinationRules() {
	ruled := map[string]bool{}
	for _, object := range c.objects["DestinationRule"] {
		host, namespace := text(object.Body.Object, "spec", "host"), object.Body.GetNamespace()
		ruled[namespace+" "+host] = true
		for _, live := range c.Live.DestinationRules {
			if live.GetNamespace() != namespace || ruleHost(live, c.Mesh.ClusterDomain) != host || !c.foreign(live) {
				continue
			}
			c.meet(live, meeting{
				at: c.ruleAttribute(host, namespace), summary: "Host has another DestinationRule too",
				what:   fmt.Sprintf("is for %s in namespace %s as well (spec.host); it hides the policy's rule or mixes its settings with it", host, namespace),
				advice: "Delete it.",
			})
		}
	}
	if c.Policy.ByEgressGateway == nil {
		return
	}
	eachEntry(c.Policy, func(path []any, _ policy.Rule, to policy.To) {
		namespace := c.Policy.ByEgressGateway.Namespace
		for k, name := range to.Hosts {
			host, where := policy.MeshHost(name), at(path, "hosts", k)
			if to.ResolveTo != nil {
				host, where = *to.ResolveTo, at(path, "resolve_to")
			}
			if !ruled[namespace+" "+host] {
				c.wrapped(where, host, to.Port.Number, namespace)
			}
		}
	})
}

// wrapped reports the rule that a gateway picks for a host, if it adds TLS.
func (c *check) wrapped(where []any, host string, port int64, namespace string) {
	for _, in := range []string{namespace, c.Mesh.RootNamespace} {
		var picked *unstructured.Unstructured
		for _, live := range c.Live.DestinationRules {
			if live.GetNamespace() != in || !visible(live, namespace) || !matches(text(live.Object, "spec", "host"), host) || !c.foreign(live) {
				continue
			}
			if picked == nil || len(text(live.Object, "spec", "host")) > len(text(picked.Object, "spec", "host")) {
				picked = live
			}
		}
		if picked == nil {
			continue
		}
		if field := addsTLS(picked, port); field != "" {
			c.meet(picked, meeting{
				at: where, summary: "A DestinationRule adds TLS to the gateway's connections", warning: true,
				what:   fmt.Sprintf("applies %s to the gateway's connections to %s:%d", field, host, port),
				advice: "Delete it unless that is meant; for requests that the gateway shall send by TLS there is https_upgrade.",
			})
		}
		return
	}
}

// addsTLS returns the field by which a rule sets TLS for a port.
func addsTLS(rule *unstructured.Unstructured, port int64) string {
	on := func(fields map[string]any, path ...string) bool {
		mode := text(fields, append(path, "mode")...)
		return mode != "" && mode != "DISABLE"
	}
	for i, settings := range items(rule.Object, "spec", "trafficPolicy", "portLevelSettings") {
		if number(settings, "port", "number") == port {
			if on(settings, "tls") {
				return fmt.Sprintf("spec.trafficPolicy.portLevelSettings[%d].tls", i)
			}
			return ""
		}
	}
	if on(rule.Object, "spec", "trafficPolicy", "tls") {
		return "spec.trafficPolicy.tls"
	}
	return ""
}

// ruleHost returns the host of a rule in full: a name without a dot is a
// Service of the rule's namespace.
func ruleHost(rule *unstructured.Unstructured, clusterDomain string) string {
	host := text(rule.Object, "spec", "host")
	if host == "" || strings.ContainsAny(host, ".*") {
		return host
	}
	return host + "." + rule.GetNamespace() + ".svc." + clusterDomain
}

// ruleAttribute returns the attribute that a rule of the policy stems from.
func (c *check) ruleAttribute(host, namespace string) []any {
	var found []any
	eachEntry(c.Policy, func(path []any, rule policy.Rule, to policy.To) {
		if found != nil {
			return
		}
		if namespace != c.Policy.ByEgressGateway.Namespace {
			// The sidecars' rule is for the whole policy.
			i := slices.IndexFunc(rule.From, func(from policy.From) bool { return from.Namespace == namespace })
			if i >= 0 {
				found = at(path[:2], "from", i, "namespace")
			}
			return
		}
		if to.HTTPSUpgrade == nil || !to.HTTPSUpgrade.Enabled {
			return
		}
		for _, name := range to.Hosts {
			upstream := policy.MeshHost(name)
			if to.ResolveTo != nil {
				upstream = *to.ResolveTo
			}
			if found == nil && upstream == host {
				found = at(path, "https_upgrade")
			}
		}
	})
	return found
}
