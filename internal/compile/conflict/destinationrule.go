package conflict

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// A proxy looks for a DestinationRule in its own namespace, then in that of
// the service, then in the root namespace, and takes the most specific host of
// the first that has one (pilot/pkg/model/push_context.go, destinationRule).
// So a wildcard takes nothing from a rule of the policy, which names the exact
// host in the proxy's namespace. Another one for the exact host does: the two
// merge, the older with its settings first, or one of them is lost
// (pilot/pkg/model/destination_rule.go); and one with a workloadSelector
// swallows those without, also for workloads that it does not select
// (istio/istio#58322).
//
// Where the policy has no rule of its own, one that is picked is a danger by
// its TLS: to a gateway that takes plaintext, and around bytes that are TLS
// already.
func (c *check) destinationRules() {
	ruled := map[string]bool{}
	for _, object := range c.objects["DestinationRule"] {
		host, namespace := text(object.Body.Object, "spec", "host"), object.Body.GetNamespace()
		ruled[namespace+" "+host] = true
		for _, live := range c.Live.DestinationRules {
			// Those of policies name hosts of their own, or merge.
			if live.GetNamespace() != namespace || ruleHost(live, c.Mesh.ClusterDomain) != host || !c.foreign(live) {
				continue
			}
			effect := "the two mix, or one of them is lost"
			if get(live.Object, "spec", "workloadSelector") != nil {
				effect = "with its workloadSelector it hides the policy's rule from all workloads"
			}
			c.meet(live, meeting{
				at: c.ruleAttribute(host, namespace), summary: "Host has another DestinationRule too",
				what:   fmt.Sprintf("is for %s in namespace %s as well (spec.host): %s", host, namespace, effect),
				advice: "Delete it.",
			})
		}
	}
	if c.direct() {
		for _, f := range c.flows {
			c.wrapped(f.at, "of "+f.workloads(), picking{
				host: f.host, port: f.port, protocol: f.protocol, client: f.namespace, service: f.namespace, labels: f.labels,
			})
		}
		return
	}
	gateway := c.Policy.ByEgressGateway
	eachUpstream(c.Policy, func(path []any, host string, to policy.To) {
		if !ruled[gateway.Namespace+" "+host] {
			c.wrapped(path, "of the gateway", picking{
				host: host, port: to.Port.Number, protocol: to.Port.Protocol,
				client: gateway.Namespace, service: gateway.Namespace, labels: gateway.PodSelector(),
			})
		}
	})
	if !gateway.UsesMutualTLS() {
		c.plaintext()
	}
}

// plaintext reports rules that make sidecars speak TLS to a gateway that does
// not.
func (c *check) plaintext() {
	gateway := c.Policy.ByEgressGateway
	host := c.Mesh.ServiceHost(policy.ServiceName(c.Policy.Name), gateway.Namespace)
	for _, f := range c.flows {
		p := picking{host: host, port: f.servicePort, client: f.namespace, service: gateway.Namespace, labels: f.labels}
		picked, field := c.pick(p)
		if picked == nil {
			continue
		}
		c.meet(picked, meeting{
			at: []any{"by_egress_gateway", "mutual_tls"}, summary: "A DestinationRule adds TLS to calls of the gateway", warning: !p.surely(picked),
			what: fmt.Sprintf("applies %s to the connections of %s to the policy's Service %s, and without mutual_tls the gateway takes plaintext there",
				field, f.workloads(), host),
			advice: "Set mutual_tls to true, or limit spec.host of that rule.",
		})
	}
}

// wrapped reports the rule that a client picks for a host, if it adds TLS.
func (c *check) wrapped(where []any, whose string, p picking) {
	picked, field := c.pick(p)
	if picked == nil {
		return
	}
	m := meeting{
		at: where, summary: "A DestinationRule adds TLS to the connections", warning: true,
		what:   fmt.Sprintf("applies %s to the connections %s to %s:%d", field, whose, p.host, p.port),
		advice: "Delete it unless that is meant; for requests that a gateway shall send by TLS there is https_upgrade.",
	}
	if policy.Section(p.protocol) == policy.SectionTLS {
		m.warning = !p.surely(picked)
		m.what += ", which are TLS already: the server would get TLS in TLS"
		m.advice = "Delete it, or limit it to other hosts or ports."
	}
	c.meet(picked, m)
}

// picking is a look-up of a DestinationRule.
type picking struct {
	host, protocol  string
	port            int64
	client, service string
	// labels are those that are known of the client.
	labels map[string]string
}

// sees reports whether a rule may be for the client.
func (p picking) sees(rule *unstructured.Unstructured) bool {
	if get(rule.Object, "spec", "workloadSelector") == nil {
		return visible(rule, p.client)
	}
	// One with a selector is private to its namespace, whatever it says.
	return namespaceOf(rule) == p.client && compile.MayMatch(selectorOf(rule), p.labels)
}

// surely reports whether a rule that the client sees is for it in any case.
func (p picking) surely(rule *unstructured.Unstructured) bool {
	return compile.Selects(selectorOf(rule), p.labels)
}

func selectorOf(rule *unstructured.Unstructured) map[string]string {
	return selector(rule.Object, "spec", "workloadSelector", "matchLabels")
}

// pick returns the foreign rule that a look-up ends at, and the field by which
// it sets TLS; nil if it sets none.
func (c *check) pick(p picking) (*unstructured.Unstructured, string) {
	for _, namespace := range []string{p.client, p.service, c.Mesh.RootNamespace} {
		var picked []*unstructured.Unstructured
		best := ""
		for _, live := range c.Live.DestinationRules {
			if namespaceOf(live) != namespace || !p.sees(live) {
				continue
			}
			switch host := ruleHost(live, c.Mesh.ClusterDomain); {
			case !matches(host, p.host) || len(host) < len(best):
			case len(host) == len(best):
				picked = append(picked, live)
			default:
				best, picked = host, []*unstructured.Unstructured{live}
			}
		}
		for _, live := range picked {
			if field := addsTLS(live, p.port); field != "" && c.foreign(live) {
				return live, field
			}
		}
		if len(picked) > 0 {
			return nil, ""
		}
	}
	return nil, ""
}

// addsTLS returns the field by which a rule sets TLS for a port.
func addsTLS(rule *unstructured.Unstructured, port int64) string {
	on := func(fields map[string]any, path ...string) bool {
		mode := text(fields, append(path, "mode")...)
		return mode != "" && mode != "DISABLE"
	}
	for i, settings := range items(rule.Object, "spec", "trafficPolicy", "portLevelSettings") {
		if number(settings, "port", "number") == port {
			// It replaces the settings for all ports, also where it says less.
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
	if namespace == c.Policy.ByEgressGateway.Namespace {
		eachEntry(c.Policy, func(path []any, _ policy.Rule, to policy.To) {
			own := func(name string) bool { return policy.MeshHost(name) == host }
			if to.ResolveTo != nil {
				own = func(string) bool { return *to.ResolveTo == host }
			}
			if found == nil && isUpgraded(to) && slices.ContainsFunc(to.Hosts, own) {
				found = at(path, "https_upgrade")
			}
		})
		return found
	}
	// The sidecars' rule is for the whole policy.
	for i, rule := range c.Policy.EgressRules {
		j := slices.IndexFunc(rule.From, func(from policy.From) bool { return from.Namespace == namespace })
		if j >= 0 {
			return []any{"egress_rules", i, "from", j, "namespace"}
		}
	}
	return nil
}
