package faults

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// subject is a resource in one of the ways in which it writes.
type subject struct {
	name, typ string
	// before and after are two configurations of an instance: an update from
	// one to the other adds, changes and removes objects.
	before, after func(w *world, name string) core.Object
	// kinds are those of the objects that it makes.
	kinds []schema.GroupVersionResource
	// id is the import id.
	id func(w *world, name string) string
	// borrowed is what it edits of somebody else's, and has to put back.
	borrowed func(w *world) map[string]string
	restore  func(w *world)
	// guard says what lets traffic in without its guard.
	guard func(w *world, live map[object]*unstructured.Unstructured) []string
}

var policy = &subject{
	name: "policy", typ: "istio_egress_traffic_policy",
	before: func(w *world, name string) core.Object {
		return core.Object{
			"name": name, "by_egress_gateway": core.Object{"name": "egw", "namespace": w.egress},
			"egress_rules": []any{core.Object{
				"from": []any{core.Object{"namespace": w.shop, "workload_selector": core.Object{"app": name}, "service_accounts": []any{"a"}}},
				"to": []any{
					entry("web", "HTTP", 80, core.Object{"https_upgrade": core.Object{"enabled": true, "port": 443}}, "web."+name+".example.com"),
					entry("api", "HTTPS", 443, nil, "api."+name+".example.com"),
				},
			}},
		}
	},
	after: func(w *world, name string) core.Object {
		return core.Object{
			"name": name, "by_egress_gateway": core.Object{"name": "egw", "namespace": w.egress},
			"unselected_workloads": "direct",
			"egress_rules": []any{core.Object{
				"from": []any{
					core.Object{"namespace": w.shop, "workload_selector": core.Object{"app": name}, "service_accounts": []any{"b"}},
					core.Object{"namespace": w.yard, "workload_selector": core.Object{"app": name}, "service_accounts": []any{"c"}},
				},
				"to": []any{
					entry("web", "HTTP", 80, nil, "www."+name+".example.com"),
					entry("db", "TCP", 5432, core.Object{"addresses": []any{"203.0.113.7"}}, "db."+name+".example.com"),
				},
			}},
		}
	},
	kinds: []schema.GroupVersionResource{gateways, serviceEntries, virtualServices, destinationRules, services, authorizations},
	id:    func(w *world, name string) string { return w.egress + "/" + name },
	guard: guardOfRoutes,
}

func entry(name, protocol string, port int, more core.Object, hosts ...string) core.Object {
	list := make([]any, len(hosts))
	for i, host := range hosts {
		list[i] = host
	}
	e := core.Object{"name": name, "hosts": list, "port": core.Object{"name": strings.ToLower(protocol), "number": port, "protocol": protocol}}
	for key, value := range more {
		e[key] = value
	}
	return e
}

// guardOfRoutes: a route of a workload to the gateway stands only while the
// gateway asks who comes, and the way there is encrypted.
func guardOfRoutes(w *world, live map[object]*unstructured.Unstructured) []string {
	var open []string
	rules := map[string]bool{}
	for o, body := range live {
		if o.kind == destinationRules {
			host, _, _ := unstructured.NestedString(body.Object, "spec", "host")
			rules[o.namespace+" "+host] = true
		}
	}
	for o, route := range live {
		if o.kind != virtualServices || o.namespace == w.egress {
			continue
		}
		for _, host := range destinations(route) {
			service, _, found := strings.Cut(host, "."+w.egress+".")
			if !found {
				continue
			}
			if live[object{services, w.egress, service}] == nil {
				open = append(open, fmt.Sprintf("%s leads to %s, which does not exist", o, host))
			}
			if !rules[o.namespace+" "+host] {
				open = append(open, fmt.Sprintf("%s leads to %s without mutual TLS", o, host))
			}
			if live[object{authorizations, w.egress, "egw-from-" + o.namespace}] == nil {
				open = append(open, fmt.Sprintf("%s leads to a gateway that admits nobody of %s", o, o.namespace))
			}
		}
	}
	return open
}

// destinations are the hosts that a VirtualService routes to.
func destinations(route *unstructured.Unstructured) []string {
	var hosts []string
	for _, protocol := range []string{"http", "tls", "tcp"} {
		rules, _, _ := unstructured.NestedSlice(route.Object, "spec", protocol)
		for _, rule := range rules {
			rule, _ := rule.(map[string]any)
			routes, _, _ := unstructured.NestedSlice(rule, "route")
			for _, one := range routes {
				one, _ := one.(map[string]any)
				host, _, _ := unstructured.NestedString(one, "destination", "host")
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

var gateway = &subject{
	name: "gateway", typ: "istio_egress_gateway",
	before: func(w *world, name string) core.Object {
		return core.Object{
			"name": name, "namespace": w.egress, "replicas": 1, "wait_for_rollout": false,
			"pod_disruption_budget": core.Object{"min_available": "1"},
		}
	},
	after: func(w *world, name string) core.Object {
		return core.Object{
			"name": name, "namespace": w.egress, "wait_for_rollout": false, "network_policy": true, "labels": core.Object{"team": "edge"},
			"autoscaling": core.Object{"min_replicas": 1, "max_replicas": 2, "cpu_utilization": 80},
			"resources":   core.Object{"requests": core.Object{"cpu": "100m"}},
			"access_log":  false,
		}
	},
	kinds: []schema.GroupVersionResource{
		services, serviceAccounts, deployments, roles, roleBindings, autoscalers, budgets, networkPolicies, authorizations, telemetries,
	},
	id: func(w *world, name string) string { return w.egress + "/" + name },
	guard: func(w *world, live map[object]*unstructured.Unstructured) []string {
		var open []string
		for o := range live {
			if o.kind == deployments && live[object{authorizations, o.namespace, o.name + "-default-deny"}] == nil {
				open = append(open, fmt.Sprintf("%s runs without its AuthorizationPolicy", o))
			}
		}
		return open
	},
}

// outboundAt returns the two configurations of an outbound policy.
func outboundAt(config func(w *world, name string) core.Object) (before, after func(w *world, name string) core.Object) {
	with := func(mode string) func(w *world, name string) core.Object {
		return func(w *world, name string) core.Object {
			c := config(w, name)
			c["mode"] = mode
			return c
		}
	}
	return with("REGISTRY_ONLY"), with("ALLOW_ANY")
}

func outboundSubject(name string, config func(w *world, name string) core.Object, id func(w *world, name string) string) *subject {
	s := &subject{name: name, typ: "istio_outbound_traffic_policy", id: id}
	s.before, s.after = outboundAt(config)
	return s
}

var (
	ownSidecar = outboundSubject("outbound of a namespace",
		func(w *world, _ string) core.Object { return core.Object{"namespace": w.shop} },
		func(w *world, _ string) string { return "namespace/" + w.shop })
	theirSidecar = outboundSubject("outbound in their Sidecar",
		func(w *world, _ string) core.Object { return core.Object{"namespace": w.yard} },
		func(w *world, _ string) string { return "namespace/" + w.yard })
	workloadSidecar = outboundSubject("outbound of workloads",
		func(w *world, name string) core.Object {
			return core.Object{"namespace": w.shop, "name": name, "workload_selector": core.Object{"app": name}}
		},
		func(w *world, name string) string { return "workload/" + w.shop + "/" + name })
	meshConfig = outboundSubject("outbound of the mesh",
		func(w *world, _ string) core.Object { return core.Object{"revision": w.revision} },
		func(w *world, _ string) string { return "mesh/" + w.revision })
)

func init() {
	ownSidecar.kinds = []schema.GroupVersionResource{sidecars}
	workloadSidecar.kinds = []schema.GroupVersionResource{sidecars}
	// What is lent has a mode that neither configuration leaves as it was.
	theirSidecar.borrowed = func(w *world) map[string]string {
		live := w.get(object{sidecars, w.yard, "default"})
		var managers []string
		for _, m := range live.GetManagedFields() {
			managers = append(managers, m.Manager)
		}
		return map[string]string{"spec": fmt.Sprint(live.Object["spec"]), "managers": fmt.Sprint(managers)}
	}
	theirSidecar.restore = func(w *world) {
		w.edit(object{sidecars, w.yard, "default"}, func(live *unstructured.Unstructured) {
			unstructured.RemoveNestedField(live.Object, "spec", "outboundTrafficPolicy")
			var kept []metav1.ManagedFieldsEntry
			for _, m := range live.GetManagedFields() {
				if !strings.HasPrefix(m.Manager, "terraform-provider-istio") {
					kept = append(kept, m)
				}
			}
			live.SetManagedFields(kept)
		})
	}
	config := func(w *world) object { return object{configMaps, "istio-system", "istio-" + w.revision} }
	meshConfig.borrowed = func(w *world) map[string]string {
		text, _, _ := unstructured.NestedString(w.get(config(w)).Object, "data", "mesh")
		return map[string]string{"data.mesh": text}
	}
	meshConfig.restore = func(w *world) {
		w.edit(config(w), func(live *unstructured.Unstructured) {
			text, _, _ := unstructured.NestedString(live.Object, "data", "mesh")
			_ = unstructured.SetNestedField(live.Object, strings.ReplaceAll(text, "REGISTRY_ONLY", "ALLOW_ANY"), "data", "mesh")
			unstructured.RemoveNestedField(live.Object, "metadata", "annotations", compile.AnnotationMode)
		})
	}
}

var subjects = []*subject{policy, gateway, ownSidecar, theirSidecar, workloadSidecar, meshConfig}
