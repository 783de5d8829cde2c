package workload

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Container ports that Istio's own processes use, or that mean something else
// to it: 15000-15099 (admin, capture, DNS, health, metrics) and 15443
// (cross-network passthrough). istiod does not check gateways for them.
const (
	reservedFirst     = 15000
	reservedLast      = 15099
	reservedPassthru  = 15443
	firstUnprivileged = 1024
)

// served are the reserved ports that a Service may well expose, since the pod
// serves them itself.
var served = []int64{portMetrics, portHealth, portEnvoyMetrics}

func reserved(port int64) bool {
	return port >= reservedFirst && port <= reservedLast || port == reservedPassthru
}

func (v *validator) ports(g Gateway) {
	if len(g.Ports) == 0 {
		v.add(at{"ports"}, "No ports", "A Service has at least one port.")
	}
	names, numbers, nodePorts := map[string]int{}, map[string]int{}, map[string]int{}
	unique := func(seen map[string]int, value string, i int, path at, noun string) {
		if other, taken := seen[value]; taken {
			v.add(path, "Duplicate "+noun, "%s is used by ports[%d] as well.", value, other)
			return
		}
		seen[value] = i
	}
	exposed := exposedOnNodes(or(g.Service, Service{}))
	for i, p := range g.Ports {
		path := at{"ports", i}
		v.check(path.in("name"), CheckPortName(p.Name))
		unique(names, p.Name, i, path.in("name"), "port name")
		v.check(path.in("port"), CheckPort(p.Port))
		unique(numbers, fmt.Sprintf("%d/%s", p.Port, p.Transport()), i, path.in("port"), "port")
		v.target(path, p, g.RunAsRoot)
		v.oneOf(path.in("protocol"), p.Protocol, Transports)
		if p.AppProtocol != nil {
			v.check(path.in("app_protocol"), CheckAppProtocol(*p.AppProtocol))
		}
		if p.NodePort != nil {
			v.check(path.in("node_port"), CheckPort(*p.NodePort))
			unique(nodePorts, fmt.Sprintf("%d/%s", *p.NodePort, p.Transport()), i, path.in("node_port"), "node port")
			if !exposed {
				v.add(path.in("node_port"), "Node port without nodes", "A Service of type %s has no node ports. Set service.type to NodePort or LoadBalancer.", corev1.ServiceTypeClusterIP)
			}
		}
	}
}

// target checks the container port, under the attribute that says it.
func (v *validator) target(path at, p Port, root bool) {
	attribute := "target_port"
	if p.TargetPort == nil {
		attribute = "port"
	}
	switch target := p.Target(); {
	case CheckPort(target) != nil:
		if p.TargetPort != nil {
			v.check(path.in(attribute), CheckPort(target))
		}
	case target < firstUnprivileged && !root:
		v.add(path.in(attribute), "Privileged target port",
			"The gateway would listen on container port %d, and only root may open ports below %d. Set target_port to %d or above, or run_as_root = true.", target, firstUnprivileged, firstUnprivileged)
	case reserved(target) && !slices.Contains(served, target):
		v.add(path.in(attribute), "Reserved target port",
			"Container port %d belongs to Istio (%d-%d and %d): a listener there would be lost or break the pod. Take another one.", target, reservedFirst, reservedLast, reservedPassthru)
	}
}

// exposedOnNodes reports whether the Service has node ports.
func exposedOnNodes(s Service) bool {
	return slices.Contains([]string{string(corev1.ServiceTypeNodePort), string(corev1.ServiceTypeLoadBalancer)}, or(s.Type, ""))
}

func (v *validator) service(g Gateway) {
	if g.Service == nil {
		return
	}
	s, path := *g.Service, at{"service"}
	serviceType := or(s.Type, string(corev1.ServiceTypeClusterIP))
	v.oneOf(path.in("type"), s.Type, ServiceTypes)
	v.oneOf(path.in("external_traffic_policy"), s.ExternalTrafficPolicy, TrafficPolicies)
	v.oneOf(path.in("internal_traffic_policy"), s.InternalTrafficPolicy, TrafficPolicies)
	v.oneOf(path.in("session_affinity"), s.SessionAffinity, SessionAffinities)
	v.oneOf(path.in("ip_family_policy"), s.IPFamilyPolicy, IPFamilyPolicies)
	v.check(path.in("labels"), CheckLabels(s.Labels))
	v.check(path.in("annotations"), CheckAnnotations(s.Annotations))

	if serviceType != string(corev1.ServiceTypeLoadBalancer) {
		for _, field := range []struct {
			attribute string
			set       bool
		}{
			{"load_balancer_ip", s.LoadBalancerIP != nil},
			{"load_balancer_class", s.LoadBalancerClass != nil},
			{"load_balancer_source_ranges", len(s.LoadBalancerSourceRanges) > 0},
		} {
			if field.set {
				v.add(path.in(field.attribute), "No load balancer", "service.type is %s: %s has no effect. Set type = \"LoadBalancer\" or leave it out.", serviceType, field.attribute)
			}
		}
	}
	if s.ExternalTrafficPolicy != nil && !exposedOnNodes(s) {
		v.add(path.in("external_traffic_policy"), "No external traffic", "service.type is %s: nothing comes from outside. Set type to NodePort or LoadBalancer, or leave external_traffic_policy out.", serviceType)
	}
	if s.LoadBalancerIP != nil {
		v.check(path.in("load_balancer_ip"), CheckIP(*s.LoadBalancerIP))
	}
	if s.LoadBalancerClass != nil {
		v.check(path.in("load_balancer_class"), first("Invalid load balancer class", *s.LoadBalancerClass, validation.IsQualifiedName(*s.LoadBalancerClass)))
	}
	for i, text := range s.LoadBalancerSourceRanges {
		v.check(path.in("load_balancer_source_ranges", i), CheckCIDR(text))
	}
	v.families(path, s)
}

func (v *validator) families(path at, s Service) {
	for i, family := range s.IPFamilies {
		v.oneOf(path.in("ip_families", i), &family, IPFamilies)
		if i > 0 && slices.Contains(s.IPFamilies[:i], family) {
			v.add(path.in("ip_families", i), "Duplicate IP family", "%s is listed before.", family)
		}
	}
	policy := or(s.IPFamilyPolicy, string(corev1.IPFamilyPolicySingleStack))
	if len(s.IPFamilies) > 1 && policy == string(corev1.IPFamilyPolicySingleStack) {
		v.add(path.in("ip_families"), "Two IP families in a single-stack Service", "Set ip_family_policy to PreferDualStack or RequireDualStack.")
	}
}

// oneOf checks an enumeration.
func (v *validator) oneOf(path at, value *string, allowed []string) {
	if value != nil {
		v.check(path, CheckOneOf(allowed)(*value))
	}
}

// CheckPort says what is wrong with a port number.
func CheckPort(port int64) *compile.Problem {
	if port < 1 || port > 65535 {
		return problem("Port out of range", "%d is not between 1 and 65535.", port)
	}
	return nil
}

// CheckPortName says what is wrong with the name of a Service port.
func CheckPortName(name string) *compile.Problem {
	return first("Invalid port name", name, validation.IsDNS1123Label(name))
}

// CheckAppProtocol says what is wrong with an application protocol.
func CheckAppProtocol(name string) *compile.Problem {
	return first("Invalid application protocol", name, validation.IsQualifiedName(name))
}

// CheckIP says what is wrong with an IP address.
func CheckIP(text string) *compile.Problem {
	if _, err := netip.ParseAddr(text); err != nil {
		return problem("Invalid IP address", "%q is no IP address.", text)
	}
	return nil
}

// CheckCIDR says what is wrong with an address range.
func CheckCIDR(text string) *compile.Problem {
	if _, err := netip.ParsePrefix(text); err != nil {
		return problem("Invalid address range", "%q is no range such as 10.0.0.0/8.", text)
	}
	return nil
}
