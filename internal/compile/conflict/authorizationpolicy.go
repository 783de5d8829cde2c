package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What else decides about the gateway's callers: CUSTOM and DENY are asked
// before ALLOW, one ALLOW more admits callers of its own to every port that it
// names, and the first ALLOW on a gateway refuses whoever none admits
// (https://istio.io/latest/docs/concepts/security/#implicit-enablement).
//
// Policies of the gateway's namespace and of the root namespace count, if they
// select its pods; those with targetRefs are for waypoints and for gateways of
// the Gateway API (pilot/pkg/model/policyattachment.go, ShouldAttachPolicy).
func (c *check) authorizationPolicies() {
	reference := *c.Policy.ByEgressGateway
	traffic := c.trafficOf()
	for _, live := range c.Live.AuthorizationPolicies {
		if live.GetNamespace() != reference.Namespace && live.GetNamespace() != c.Mesh.RootNamespace || !bySelector(live) {
			continue
		}
		certain, possible := c.selectsPods(selector(live.Object, "spec", "selector", "matchLabels"))
		if !possible || !c.foreign(live) {
			continue
		}
		hit := traffic.policy(live)
		m := meeting{at: []any{"by_egress_gateway"}, warning: true, advice: "Make sure that it leaves this policy's callers alone."}
		where := "the gateway's pods (spec.selector)"
		if len(selector(live.Object, "spec", "selector", "matchLabels")) == 0 {
			where = "all pods of namespace " + live.GetNamespace()
			if live.GetNamespace() == c.Mesh.RootNamespace {
				where = "all pods of the mesh"
			}
		}
		switch action(live) {
		case "DENY", "CUSTOM":
			if hit == misses {
				continue
			}
			m.summary = "Another AuthorizationPolicy decides about the gateway's callers"
			m.what = fmt.Sprintf("has spec.action %s for %s, and may hit this policy's calls before it admits them", action(live), where)
			if hit == hits && certain && action(live) == "DENY" {
				m.warning = false
				m.what = fmt.Sprintf("has spec.action DENY for %s and refuses calls of this policy", where)
				m.advice = "Limit its rules to other ports or callers, or delete it."
			}
		case "ALLOW":
			if reference.ChecksNamespace() {
				if hit == misses {
					continue
				}
				m.summary = "Another AuthorizationPolicy admits callers to the gateway"
				m.what = fmt.Sprintf("has spec.action ALLOW for %s: whom it admits to this policy's ports passes the namespace check", where)
				m.advice = "Delete it, or limit its rules to ports that no policy uses (to.operation.ports)."
				break
			}
			if hit == hits {
				continue
			}
			m.summary = "Another AuthorizationPolicy refuses callers of the gateway"
			m.what = fmt.Sprintf(`has spec.action ALLOW for %s: whoever no ALLOW admits is refused, and with authorization = "none" this policy has none`, where)
			m.advice = "Let it admit the callers of this policy, or delete it."
		default:
			continue
		}
		c.meet(live, m)
	}
}

// bySelector reports whether a policy applies to pods by their labels.
func bySelector(live *unstructured.Unstructured) bool {
	return len(items(live.Object, "spec", "targetRefs")) == 0 && get(live.Object, "spec", "targetRef") == nil
}

// action returns the action of an AuthorizationPolicy; ALLOW is not written.
func action(live *unstructured.Unstructured) string {
	return or(text(live.Object, "spec", "action"), "ALLOW")
}

// hit is whether a condition holds for calls of the policy.
type hit int

const (
	misses hit = iota
	mayHit
	hits
)

// traffic is what the gateway sees of the policy's calls.
type traffic struct {
	namespaces []string
	ports      []string
	// allPorts is whether ports has all of them.
	allPorts bool
	// names are the server names of the handshake.
	names []string
	// identified is whether callers show a certificate.
	identified bool
}

func (c *check) trafficOf() traffic {
	t := traffic{identified: c.Policy.ByEgressGateway.UsesMutualTLS()}
	namespaces := map[string]bool{}
	for _, f := range c.flows {
		namespaces[f.namespace] = true
	}
	t.namespaces = slices.Sorted(maps.Keys(namespaces))
	var open []openPort
	open, t.allPorts = c.openPorts()
	for _, port := range open {
		t.ports = append(t.ports, fmt.Sprint(port.number))
	}
	for _, object := range c.objects["Gateway"] {
		for _, server := range items(object.Body.Object, "spec", "servers") {
			for _, host := range texts(server, "hosts") {
				t.names = append(t.names, strings.TrimPrefix(host, "./"))
			}
		}
	}
	return t
}

// policy returns whether some rule of a policy holds.
func (t traffic) policy(live *unstructured.Unstructured) hit {
	found := misses
	for _, rule := range items(live.Object, "spec", "rules") {
		holds := hits
		if from := items(rule, "from"); len(from) > 0 {
			holds = min(holds, anyOf(from, "source", t.source))
		}
		if to := items(rule, "to"); len(to) > 0 {
			holds = min(holds, anyOf(to, "operation", t.operation))
		}
		for _, condition := range items(rule, "when") {
			holds = min(holds, t.condition(condition))
		}
		found = max(found, holds)
	}
	return found
}

func anyOf(list []map[string]any, field string, holds func(map[string]any) hit) hit {
	found := misses
	for _, item := range list {
		fields, _ := item[field].(map[string]any)
		found = max(found, holds(fields))
	}
	return found
}

// source returns whether all fields of a source hold.
func (t traffic) source(fields map[string]any) hit {
	found := hits
	for name := range fields {
		values := texts(fields, name)
		switch name {
		case "namespaces", "principals", "serviceAccounts":
			if !t.identified {
				return misses
			}
			if name == "namespaces" {
				found = min(found, among(t.namespaces, values))
			} else {
				found = min(found, t.identity(values))
			}
		case "notNamespaces":
			found = min(found, hits-among(t.namespaces, values))
		default:
			found = min(found, mayHit)
		}
	}
	return found
}

// identity returns whether identities are of the policy's namespaces: they are
// written as <trust domain>/ns/<namespace>/sa/<name>, or <namespace>/<name>.
func (t traffic) identity(values []string) hit {
	found := misses
	for _, value := range values {
		_, rest, isPrincipal := strings.Cut(value, "/ns/")
		if !isPrincipal {
			rest = value
		}
		namespace, _, complete := strings.Cut(rest, "/")
		if !complete || strings.Contains(namespace, "*") || slices.Contains(t.namespaces, namespace) {
			found = mayHit
		}
	}
	return found
}

// operation returns whether all fields of an operation hold.
func (t traffic) operation(fields map[string]any) hit {
	found := hits
	for name := range fields {
		var ports hit
		switch name {
		case "ports":
			ports = among(t.ports, texts(fields, name))
		case "notPorts":
			ports = hits - among(t.ports, texts(fields, name))
		default:
			found = min(found, mayHit)
			continue
		}
		if !t.allPorts {
			ports = mayHit
		}
		found = min(found, ports)
	}
	return found
}

func (t traffic) condition(fields map[string]any) hit {
	if text(fields, "key") != "connection.sni" || !t.identified {
		return mayHit
	}
	found := hits
	if values := texts(fields, "values"); len(values) > 0 {
		found = min(found, among(t.names, values))
	}
	if values := texts(fields, "notValues"); len(values) > 0 {
		found = min(found, hits-among(t.names, values))
	}
	return found
}

// among returns whether all (hits), some or none of the values match a
// pattern.
func among(values, patterns []string) hit {
	matched := 0
	for _, value := range values {
		if slices.ContainsFunc(patterns, func(pattern string) bool { return patternMatches(pattern, value) }) {
			matched++
		}
	}
	switch matched {
	case 0:
		return misses
	case len(values):
		return hits
	}
	return mayHit
}

// patternMatches compares as AuthorizationPolicies do: exact, prefix or suffix.
func patternMatches(pattern, value string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(value, prefix)
	}
	return matches(pattern, value)
}
