package conflict

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A workload that a Sidecar applies to knows only the hosts that it imports;
// ServiceEntry and VirtualService of a policy stand in the workload's own
// namespace. The policy's Service need not be imported: what a VirtualService
// leads to comes with it (pilot/pkg/model/sidecar.go, collectImportedServices).
//
// A workload has one Sidecar: one that selects it, else the namespace's
// without a selector, else, in a namespace that has none at all, the root
// namespace's (pilot/pkg/model/push_context.go, getSidecarScope).
func (c *check) sidecars() {
	for _, f := range c.flows {
		for _, live := range c.sidecarsOf(f) {
			if imports(live, f) {
				continue
			}
			effect := "the policy does nothing for its workloads"
			if c.Policy.ByEgressGateway != nil {
				effect = "its workloads do not go through the gateway"
			}
			c.meet(live, meeting{
				at: f.at, summary: "A Sidecar does not import the host", warning: true,
				what:   fmt.Sprintf("applies to %s and does not import %s: %s", f.workloads(), f, effect),
				advice: fmt.Sprintf(`Add %q to spec.egress[].hosts of an entry for every port (or %q for all hosts of the namespace).`, importEntry(live, f), importAll(live, f)),
			})
		}
	}
}

// sidecarsOf returns the Sidecars that may apply to a flow's workloads.
func (c *check) sidecarsOf(f flow) []*unstructured.Unstructured {
	var selecting, plain []*unstructured.Unstructured
	var root *unstructured.Unstructured
	sure := false
	for _, live := range c.Live.Sidecars {
		labels := selector(live.Object, "spec", "workloadSelector", "labels")
		switch {
		case live.GetNamespace() == f.namespace && len(labels) == 0:
			plain = append(plain, live)
		case live.GetNamespace() == f.namespace:
			if mayMatch(labels, f.labels) {
				selecting = append(selecting, live)
				sure = sure || covers(labels, f.labels)
			}
		case live.GetNamespace() == c.Mesh.RootNamespace && len(labels) == 0 && older(live, root):
			root = live
		}
	}
	var first *unstructured.Unstructured
	for _, live := range plain {
		if older(live, first) {
			first = live
		}
	}
	switch {
	case sure:
		return selecting
	case first != nil:
		return append(selecting, first)
	case len(selecting) == 0 && root != nil && !c.hasSidecar(f.namespace):
		return []*unstructured.Unstructured{root}
	}
	return selecting
}

func (c *check) hasSidecar(namespace string) bool {
	for _, live := range c.Live.Sidecars {
		if live.GetNamespace() == namespace {
			return true
		}
	}
	return false
}

func older(a, b *unstructured.Unstructured) bool {
	if b == nil {
		return true
	}
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return at.Before(&bt) || at.Equal(&bt) && a.GetName() < b.GetName()
}

// imports reports whether a Sidecar imports a flow's host. Without egress it
// imports everything.
func imports(sidecar *unstructured.Unstructured, f flow) bool {
	egress := items(sidecar.Object, "spec", "egress")
	if len(egress) == 0 {
		return true
	}
	for _, listener := range egress {
		if port := number(listener, "port", "number"); port != 0 && port != f.port {
			continue
		}
		for _, entry := range texts(listener, "hosts") {
			namespace, name, ok := strings.Cut(entry, "/")
			// "." is the namespace of the workload, also in the root's Sidecar
			// (pilot/pkg/model/sidecar.go, convertIstioListenerToWrapper).
			if ok && (namespace == "*" || namespace == "." || namespace == f.namespace) && matches(name, f.host) {
				return true
			}
		}
	}
	return false
}

func importEntry(sidecar *unstructured.Unstructured, f flow) string {
	if sidecar.GetNamespace() == f.namespace {
		return "./" + f.host
	}
	return f.namespace + "/" + f.host
}

func importAll(sidecar *unstructured.Unstructured, f flow) string {
	if sidecar.GetNamespace() == f.namespace {
		return "./*"
	}
	return f.namespace + "/*"
}
