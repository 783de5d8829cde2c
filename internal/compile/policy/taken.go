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
//
// Gateways are those of all namespaces: a thousand policies ask about
// thousands of them, so nothing of theirs is copied.
func TakenPorts(ref compile.Reference, gateways, services []*unstructured.Unstructured) map[int64]string {
	holders := make(map[int64]*unstructured.Unstructured, len(gateways))
	take := func(port int64, by *unstructured.Unstructured) {
		// The first in the order of the keys is named, whatever order came in.
		other, ok := holders[port]
		if port != 0 && (!ok || other != by && holderKey(by) < holderKey(other)) {
			holders[port] = by
		}
	}
	pods := ref.PodSelector()
	for _, gateway := range gateways {
		spec, _ := gateway.Object["spec"].(map[string]any)
		if !maySelect(spec, pods) {
			continue
		}
		servers, _ := spec["servers"].([]any)
		for _, item := range servers {
			server, _ := item.(map[string]any)
			port, _ := server["port"].(map[string]any)
			take(portNumber(port["number"]), gateway)
		}
	}
	for _, service := range services {
		spec, _ := service.Object["spec"].(map[string]any)
		selector, _ := spec["selector"].(map[string]any)
		// A Service selects pods of its namespace, and one without a selector
		// has endpoints of its own.
		if len(selector) == 0 || !maySelect(spec, pods) || service.GetNamespace() != ref.Namespace {
			continue
		}
		_, optedOut := service.GetLabels()[compile.LabelNoPortTranslation]
		servicePorts, _ := spec["ports"].([]any)
		for _, item := range servicePorts {
			servicePort, _ := item.(map[string]any)
			if !optedOut {
				take(portNumber(servicePort["port"]), service)
			}
			// One with a name is no number to take.
			take(portNumber(servicePort["targetPort"]), service)
		}
	}
	taken := make(map[int64]string, len(holders))
	for port, by := range holders {
		taken[port] = holderKey(by)
	}
	return taken
}

func holderKey(object *unstructured.Unstructured) string {
	metadata, _ := object.Object["metadata"].(map[string]any)
	kind, _ := object.Object["kind"].(string)
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	return manifest.Key(kind, namespace, name)
}

// maySelect reports whether the selector of a Gateway or Service selects some
// pod with the labels.
func maySelect(spec map[string]any, pods map[string]string) bool {
	selector, _ := spec["selector"].(map[string]any)
	for key, value := range selector {
		if label, ok := pods[key]; ok && label != value {
			return false
		}
	}
	return true
}

// portNumber reads a number as a decoder of JSON leaves it; 0 if it is none.
func portNumber(value any) int64 {
	switch value := value.(type) {
	case int64:
		return value
	case float64:
		return int64(value)
	}
	return 0
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
