package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// An index over the objects of a cluster, so that a policy looks at the few
// that it can meet: an object is filed under its keys, a policy asks for
// others. A key says who can see the object (a namespace, or * for all) and
// what it is about: a host, a port, an address. Too many answers cost time, a
// missing one would hide a conflict.

// Keys returns under which keys an object can be met; none if no policy can
// meet it. An object of another kind than those of Live has none.
func Keys(live *unstructured.Unstructured) []string {
	namespace := live.GetNamespace()
	switch live.GetKind() {
	case "VirtualService":
		var keys []string
		gateways := texts(live.Object, "spec", "gateways")
		for _, gateway := range gateways {
			if !strings.Contains(gateway, "/") {
				gateway = namespace + "/" + gateway
			}
			keys = append(keys, gatewayKey(gateway))
		}
		if forSidecars(gateways) {
			keys = append(keys, scoped(live, hostKeys(hostsOf(live)))...)
		}
		return keys
	case "ServiceEntry":
		d := describe(live)
		about := hostKeys(d.hosts)
		for _, address := range d.listens() {
			about = append(about, addressKey(address))
		}
		for _, port := range d.bytePorts() {
			if len(d.addresses) == 0 {
				about = append(about, portKey(port))
			}
		}
		return scoped(live, about)
	case "DestinationRule":
		host := text(live.Object, "spec", "host")
		if isOddWildcard(host) {
			host = oddWildcard
		}
		return []string{key(namespace, host)}
	case "Gateway":
		var keys []string
		for _, server := range items(live.Object, "spec", "servers") {
			keys = append(keys, portKey(number(server, "port", "number")))
		}
		return keys
	case "Service":
		var keys []string
		if !keepsPorts(live) && len(selector(live.Object, "spec", "selector")) > 0 {
			for _, port := range items(live.Object, "spec", "ports") {
				keys = append(keys, key(namespace, portKey(number(port, "port"))))
			}
		}
		return keys
	case "AuthorizationPolicy":
		if labelled(live) || !bySelector(live) {
			return nil
		}
		return []string{namespace}
	case "Sidecar":
		return []string{namespace}
	}
	return nil
}

// Asks returns, by kind, the keys of what a policy can meet. assigned are the
// container ports that are known, as in `gateway_ports`.
func Asks(p policy.Policy, mesh compile.Mesh, assigned map[string]int64) map[string][]string {
	c := newCheck(Input{Policy: p, Mesh: mesh, Ports: assigned})
	kinds := map[string]map[string]bool{}
	ask := func(kind string, keys ...string) {
		if kinds[kind] == nil {
			kinds[kind] = map[string]bool{}
		}
		for _, key := range keys {
			kinds[kind][key] = true
		}
	}
	for _, f := range c.flows {
		for _, scope := range []string{f.namespace, everyone} {
			for _, name := range f.names() {
				ask("VirtualService", key(scope, name))
			}
			for _, name := range f.listeners() {
				ask("ServiceEntry", key(scope, name))
			}
		}
		ask("Sidecar", f.namespace, mesh.RootNamespace)
		if c.direct() {
			ask("DestinationRule", ruleKeys(f.host, f.namespace, mesh.RootNamespace)...)
		}
	}
	if gateway := p.ByEgressGateway; gateway != nil {
		ask("AuthorizationPolicy", gateway.Namespace, mesh.RootNamespace)
		eachUpstream(p, func(_ []any, host string, _ policy.To) {
			ask("ServiceEntry", key(gateway.Namespace, host), key(everyone, host))
			ask("DestinationRule", ruleKeys(host, gateway.Namespace, mesh.RootNamespace)...)
		})
		service := policy.ServiceName(p.Name)
		host := mesh.ServiceHost(service, gateway.Namespace)
		for _, f := range c.flows {
			ask("DestinationRule", key(f.namespace, host))
			if !gateway.UsesMutualTLS() {
				ask("DestinationRule", ruleKeys(host, f.namespace, gateway.Namespace, mesh.RootNamespace)...)
				ask("DestinationRule", key(gateway.Namespace, service))
			}
		}
		open, _ := c.openPorts()
		for _, port := range open {
			ask("Gateway", portKey(port.number))
			ask("Service", key(gateway.Namespace, portKey(port.number)))
			ask("VirtualService", gatewayKey(gateway.Namespace+"/"+policy.GatewayName(gateway.Name, port.number)))
		}
	}
	asked := map[string][]string{}
	for kind, keys := range kinds {
		asked[kind] = slices.Sorted(maps.Keys(keys))
	}
	return asked
}

// everyone is the scope of what is exported to all namespaces.
const everyone = "*"

// oddWildcard is the key of all wildcards that do not stand for a first label,
// as *example.com: they are rare, and everyone looks at them.
const oddWildcard = "*odd*"

func isOddWildcard(host string) bool {
	return strings.HasPrefix(host, "*") && host != "*" && !strings.HasPrefix(host, "*.")
}

func key(scope, about string) string { return scope + " " + about }

func portKey(port int64) string { return fmt.Sprintf(":%d", port) }

func addressKey(address string) string { return "@" + address }

func gatewayKey(name string) string { return "gateway " + name }

// belowKey is the key of all hosts that a wildcard stands for.
func belowKey(wildcard string) string { return "<" + wildcard }

// scoped puts in front of keys who sees the object.
func scoped(object *unstructured.Unstructured, about []string) []string {
	exported := texts(object.Object, "spec", "exportTo")
	if len(exported) == 0 || slices.Contains(exported, "*") {
		exported = []string{everyone}
	}
	var keys []string
	for _, scope := range exported {
		if scope == "." {
			scope = object.GetNamespace()
		}
		for _, name := range about {
			keys = append(keys, key(scope, name))
		}
	}
	return keys
}

// hostKeys returns the keys of hosts: each itself, and the wildcards that it
// is one of.
func hostKeys(hosts []string) []string {
	var keys []string
	for _, host := range hosts {
		if isOddWildcard(host) {
			keys = append(keys, oddWildcard)
			continue
		}
		keys = append(keys, host)
		for _, wildcard := range wildcards(host) {
			keys = append(keys, belowKey(wildcard))
		}
	}
	return keys
}

// names returns the keys of hosts that overlap with the flow's.
func (f flow) names() []string {
	names := append(wildcards(f.host), f.host, oddWildcard)
	if f.isWildcard() {
		names = append(names, belowKey(f.host))
	}
	return names
}

// listeners returns the keys of ServiceEntries that have to do with the flow's.
func (f flow) listeners() []string {
	names := []string{f.host}
	if f.isWildcard() {
		names = append(names, belowKey(f.host))
	}
	for _, address := range f.addresses {
		if found, ok := prefix(address); ok && found.IsSingleIP() {
			address = found.Addr().String()
		}
		names = append(names, addressKey(address))
	}
	if f.protocol == policy.TCP && len(f.addresses) == 0 {
		names = append(names, portKey(f.port))
	}
	return names
}

// ruleKeys returns the keys of rules in some namespaces that a host can be
// looked up by.
func ruleKeys(host string, namespaces ...string) []string {
	var keys []string
	for _, namespace := range namespaces {
		for _, name := range append(wildcards(host), host, oddWildcard) {
			keys = append(keys, key(namespace, name))
		}
	}
	return keys
}
