package conflict

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Gateways of all namespaces that select the same pods become one
// configuration: on one port the later server is skipped or gets into the same
// listener (pilot/pkg/model/gateway.go, mergeGateways). Policies reserve their
// ports among themselves; others do not know of that.
//
// A server number that is some Service's port is opened at that Service's
// targetPort instead (resolvePorts).

// openPort is a container port of the policy.
type openPort struct {
	number int64
	at     []any
}

// openPorts returns the container ports that are known.
func (c *check) openPorts() []openPort {
	var open []openPort
	for _, slot := range policy.Slots(c.Policy) {
		number := slot.Explicit
		if assigned, ok := slot.Port(c.Ports); ok {
			number = assigned
		}
		if number == 0 {
			continue
		}
		entry, _, _ := strings.Cut(slot.Key, "/")
		port := openPort{number: number, at: []any{"egress_rules"}}
		eachEntry(c.Policy, func(path []any, _ policy.Rule, to policy.To) {
			if to.Name == entry {
				port.at = path
				if to.ByEgressGateway != nil {
					port.at = at(path, "by_egress_gateway", "port")
				}
			}
		})
		open = append(open, port)
	}
	return open
}

func (c *check) gateways() {
	for _, port := range c.openPorts() {
		for _, live := range c.Live.Gateways {
			pods := selector(live.Object, "spec", "selector")
			certain, possible := c.selectsPods(pods)
			if !possible || !c.foreign(live) {
				continue
			}
			for i, server := range items(live.Object, "spec", "servers") {
				if number(server, "port", "number") != port.number {
					continue
				}
				selects := "selects the same pods"
				if !certain {
					selects = "may select the same pods"
				}
				c.meet(live, meeting{
					at: port.at, summary: "Port of the gateway is opened by another Gateway too", warning: !certain,
					what:   fmt.Sprintf("%s and opens port %d there (spec.servers[%d])", selects, port.number, i),
					advice: "Choose another by_egress_gateway.port, or change that Gateway.",
				})
			}
		}
	}
}

func (c *check) services() {
	for _, port := range c.openPorts() {
		for _, live := range c.Live.Services {
			pods := selector(live.Object, "spec", "selector")
			if certain, _ := c.selectsPods(pods); live.GetNamespace() != c.Policy.ByEgressGateway.Namespace || len(pods) == 0 || !certain || !c.foreign(live) {
				continue
			}
			if _, optedOut := live.GetLabels()[compile.LabelNoPortTranslation]; optedOut {
				continue
			}
			for _, servicePort := range items(live.Object, "spec", "ports") {
				target := number(servicePort, "targetPort")
				if number(servicePort, "port") != port.number || target == port.number || target == 0 {
					continue
				}
				c.meet(live, meeting{
					at: port.at, summary: "Port of the gateway is translated by a Service",
					what:   fmt.Sprintf("selects the gateway's pods and maps port %d to %d: Istio would open %[2]d for this policy", port.number, target),
					advice: fmt.Sprintf("Choose another by_egress_gateway.port, or label that Service %s.", compile.LabelNoPortTranslation),
				})
			}
		}
	}
}

// selectsPods reports whether a selector selects the gateway's pods for sure,
// and whether it may: of the pods only the labels of the reference are known.
func (c *check) selectsPods(selector map[string]string) (certain, possible bool) {
	known := c.Policy.ByEgressGateway.PodSelector()
	return covers(selector, known), mayMatch(selector, known)
}

// authorizationPolicies reports what else decides about the gateway's callers:
// DENY and CUSTOM come before ALLOW, one ALLOW more admits callers of its own
// to every port, and the first ALLOW on a gateway refuses whoever none admits
// (https://istio.io/latest/docs/concepts/security/#implicit-enablement).
func (c *check) authorizationPolicies() {
	reference := *c.Policy.ByEgressGateway
	for _, live := range c.Live.AuthorizationPolicies {
		if live.GetNamespace() != reference.Namespace && live.GetNamespace() != c.Mesh.RootNamespace {
			continue
		}
		if len(items(live.Object, "spec", "targetRefs")) > 0 || get(live.Object, "spec", "targetRef") != nil {
			continue // for waypoints and Gateways of the Gateway API
		}
		if _, possible := c.selectsPods(selector(live.Object, "spec", "selector", "matchLabels")); !possible || !c.foreign(live) {
			continue
		}
		m := meeting{at: []any{"by_egress_gateway"}, warning: true, advice: "Make sure that it leaves this policy's callers alone."}
		switch action(live) {
		case "DENY", "CUSTOM":
			m.summary = "Another AuthorizationPolicy decides about the gateway's callers"
			m.what = fmt.Sprintf("has spec.action %s for the gateway's pods, and is asked before this policy", action(live))
		case "ALLOW":
			if len(items(live.Object, "spec", "rules")) == 0 {
				if reference.ChecksNamespace() {
					continue // like the baseline: it admits nobody
				}
			}
			if reference.ChecksNamespace() {
				m.summary = "Another AuthorizationPolicy admits callers to the gateway"
				m.what = "has spec.action ALLOW for the gateway's pods: whom it admits passes the namespace check of every policy"
				m.advice = "Delete it, or limit its rules to ports that no policy uses."
				break
			}
			m.summary = "Another AuthorizationPolicy refuses callers of the gateway"
			m.what = "has spec.action ALLOW for the gateway's pods: whoever it does not admit is refused, and this policy admits nobody there"
			m.advice = "Let it admit the callers of this policy, or delete it."
		default:
			continue
		}
		c.meet(live, m)
	}
}

// action returns the action of an AuthorizationPolicy; ALLOW is not written.
func action(live *unstructured.Unstructured) string { return or(text(live.Object, "spec", "action"), "ALLOW") }
