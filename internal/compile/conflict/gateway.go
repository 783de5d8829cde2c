package conflict

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Gateways of all namespaces that select the same pods become one
// configuration (pilot/pkg/model/push_context.go, mergeGateways), unless
// istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE. On one port the later
// server is skipped, or gets into the same listener, where one server name of
// two namespaces makes Envoy refuse all of it (pilot/pkg/model/gateway.go).
//
// Policies of one gateway reserve their ports by the names of their Gateways,
// which is not looked at here. Others do not know of that: somebody else, and
// the policies of a gateway with the same labels in another namespace.
//
// A server number that is some Service's port is opened at that Service's
// targetPort instead (resolvePorts). Services select pods of their own
// namespace only.

// openPort is a container port of the policy.
type openPort struct {
	number int64
	at     []any
}

// openPorts returns the container ports that are known, and whether all are.
func (c *check) openPorts() (open []openPort, all bool) {
	all = true
	for _, slot := range c.slots {
		number, ok := slot.Port(c.Ports)
		if !ok {
			all = false
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
	return open, all
}

// portAttribute returns the attribute that a container port stems from.
func (c *check) portAttribute(number int64) []any {
	open, _ := c.openPorts()
	for _, port := range open {
		if port.number == number {
			return port.at
		}
	}
	return []any{"by_egress_gateway"}
}

func (c *check) gateways() {
	open, _ := c.openPorts()
	for _, live := range c.Live.Gateways {
		certain, possible := c.selectsPods(selector(live.Object, "spec", "selector"))
		if !possible {
			continue
		}
		for i, server := range items(live.Object, "spec", "servers") {
			for _, port := range open {
				if number(server, "port", "number") == port.number && !c.isReservation(live, port.number) {
					c.gateway(live, port, i, certain)
				}
			}
		}
	}
}

func (c *check) gateway(live *unstructured.Unstructured, port openPort, server int, certain bool) {
	selects := "selects the gateway's pods too"
	if !certain {
		selects = "may select the gateway's pods too"
	}
	if live.GetNamespace() != c.Policy.ByEgressGateway.Namespace {
		selects += " (Istio selects pods of all namespaces by their labels)"
	}
	c.meet(live, meeting{
		at: port.at, summary: "Port of the gateway is opened by another Gateway too", warning: !certain,
		what: fmt.Sprintf("%s and opens port %d there (spec.servers[%d]): Istio skips one of the two servers, or Envoy refuses the listener",
			selects, port.number, server),
		advice: "Choose another by_egress_gateway.port, or change that Gateway.",
		cure:   "Choose another by_egress_gateway.port, or give one of the two gateways a name of its own.",
	})
}

// isReservation reports whether a Gateway is the one by which a policy of this
// gateway has the port.
func (c *check) isReservation(live *unstructured.Unstructured, port int64) bool {
	gateway := c.Policy.ByEgressGateway
	return !c.foreign(live) && live.GetNamespace() == gateway.Namespace && live.GetName() == policy.GatewayName(gateway.Name, port)
}

func (c *check) services() {
	open, _ := c.openPorts()
	for _, live := range c.Live.Services {
		pods := selector(live.Object, "spec", "selector")
		certain, possible := c.selectsPods(pods)
		if live.GetNamespace() != c.Policy.ByEgressGateway.Namespace || len(pods) == 0 || !possible || keepsPorts(live) {
			continue
		}
		for _, servicePort := range items(live.Object, "spec", "ports") {
			for _, port := range open {
				target := number(servicePort, "targetPort")
				if number(servicePort, "port") != port.number || target == port.number {
					continue
				}
				to := or(text(servicePort, "targetPort"), fmt.Sprint(target))
				selects := "selects the gateway's pods"
				if !certain {
					selects = "may select the gateway's pods"
				}
				c.meet(live, meeting{
					at: port.at, summary: "Port of the gateway is translated by a Service", warning: !certain,
					what:   fmt.Sprintf("%s and maps port %d to %s: Istio opens %[3]s for this policy, and nothing listens on %[2]d", selects, port.number, to),
					advice: fmt.Sprintf("Choose another by_egress_gateway.port, or label that Service %s.", compile.LabelNoPortTranslation),
					cure:   "Choose another by_egress_gateway.port.",
				})
			}
		}
	}
}

// keepsPorts reports whether a Service has opted out of the translation.
func keepsPorts(service *unstructured.Unstructured) bool {
	_, ok := service.GetLabels()[compile.LabelNoPortTranslation]
	return ok
}

// selectsPods reports whether a selector selects the gateway's pods for sure,
// and whether it may: of the pods only the labels of the reference are known.
func (c *check) selectsPods(selector map[string]string) (certain, possible bool) {
	known := c.Policy.ByEgressGateway.PodSelector()
	return compile.Selects(selector, known), compile.MayMatch(selector, known)
}
