package policy

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// TakenPorts returns which ports of the gateway's pods somebody uses, and who:
// number -> "Kind/namespace/name". The policy's own objects are among them, if
// they are among gateways and services.
//
//   - The server numbers of Gateways that select the pods. Gateways of any
//     namespace do, unless istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE.
//   - The targetPort of Services that select the pods, and their port: a
//     server number that is some Service's port is bound to that Service's
//     targetPort instead (pilot/pkg/model/gateway.go, resolvePorts), unless
//     the Service opts out, as policies' Services do.
//
// Of the pods nothing is known but the labels of the reference, so what could
// select them counts.
func TakenPorts(ref compile.Reference, gateways, services []*unstructured.Unstructured) map[int64]string {
	taken := map[int64]string{}
	take := func(port int64, by *unstructured.Unstructured) {
		// The first in the order of the keys is named, whatever order came in.
		name := manifest.Key(by.GetKind(), by.GetNamespace(), by.GetName())
		if other, ok := taken[port]; port != 0 && (!ok || name < other) {
			taken[port] = name
		}
	}
	for _, gateway := range gateways {
		selector, _, _ := unstructured.NestedStringMap(gateway.Object, "spec", "selector")
		if !mayMatch(selector, ref.PodSelector()) {
			continue
		}
		for _, server := range nestedMaps(gateway, "spec", "servers") {
			port, _, _ := unstructured.NestedInt64(server, "port", "number")
			take(port, gateway)
		}
	}
	for _, service := range services {
		selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
		// A Service without a selector has endpoints of its own.
		if service.GetNamespace() != ref.Namespace || len(selector) == 0 || !mayMatch(selector, ref.PodSelector()) {
			continue
		}
		for _, servicePort := range nestedMaps(service, "spec", "ports") {
			if _, optedOut := service.GetLabels()[compile.LabelNoPortTranslation]; !optedOut {
				port, _, _ := unstructured.NestedInt64(servicePort, "port")
				take(port, service)
			}
			// A named targetPort is an error here, and no number to take.
			target, _, err := unstructured.NestedInt64(servicePort, "targetPort")
			if err == nil {
				take(target, service)
			}
		}
	}
	return taken
}

// mayMatch reports whether some pod has the labels of both selectors: it is
// so unless a key has different values in them.
func mayMatch(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return false
		}
	}
	return true
}

// nestedMaps returns the objects of a list; none if there is no such list.
func nestedMaps(object *unstructured.Unstructured, path ...string) []map[string]any {
	list, _, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil {
		return nil
	}
	var maps []map[string]any
	items, _ := list.([]any)
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			maps = append(maps, fields)
		}
	}
	return maps
}
