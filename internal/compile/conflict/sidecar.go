package conflict

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// A workload that a Sidecar applies to knows only the hosts that it imports;
// ServiceEntry and VirtualService of a policy stand in the workload's own
// namespace. What a VirtualService leads to comes with it, so that the
// policy's Service need not be imported; but an egress listener for one port
// takes of it that port only (pilot/pkg/model/sidecar.go,
// collectImportedServices, serviceMatchingListenerPort).
//
// A listener for a port is the only one that is asked about it
// (GetEgressListenerForRDS; pilot/pkg/networking/core/listener.go, locked).
//
// A workload has one Sidecar: the oldest that selects it, else the oldest of
// the namespace without a selector, else the root namespace's
// (pilot/pkg/model/push_context.go, doGetSidecarScope).
func (c *check) sidecars() {
	for _, f := range c.flows {
		for _, live := range c.sidecarsOf(f) {
			if len(items(live.Object, "spec", "egress")) == 0 {
				continue // imports everything
			}
			if !imports(live, f) {
				c.hostNotImported(live, f)
				continue
			}
			if !c.direct() && !c.importsService(live, f) {
				c.serviceNotImported(live, f)
			}
		}
	}
}

func (c *check) hostNotImported(live *unstructured.Unstructured, f flow) {
	effect := "the policy does nothing for them"
	if !c.direct() {
		effect = "they do not go through the gateway"
	}
	own := f.namespace
	if live.GetNamespace() == f.namespace {
		own = "."
	}
	c.meet(live, meeting{
		at: f.at, summary: "A Sidecar does not import the host", warning: true,
		what:   fmt.Sprintf("applies to %s and does not import %s (spec.egress[].hosts): %s", f.workloads(), f, effect),
		advice: fmt.Sprintf(`Add "%s/%s" to spec.egress[].hosts of the listener for this port, or "%[1]s/*" for all hosts of the namespace.`, own, f.host),
	})
}

func (c *check) serviceNotImported(live *unstructured.Unstructured, f flow) {
	gateway := c.Policy.ByEgressGateway
	host := c.Mesh.ServiceHost(policy.ServiceName(c.Policy.Name), gateway.Namespace)
	c.meet(live, meeting{
		at: f.at, summary: "A Sidecar does not import the gateway", warning: true,
		what: fmt.Sprintf("applies to %s and imports %s by an egress listener of its own, which does not bring the policy's Service %s along: calls get 503",
			f.workloads(), f, host),
		advice: fmt.Sprintf(`Add "%s/%s" to spec.egress[].hosts of a listener without a port.`, gateway.Namespace, host),
	})
}

// sidecarsOf returns the Sidecars that may apply to a flow's workloads.
func (c *check) sidecarsOf(f flow) []*unstructured.Unstructured {
	var applying []*unstructured.Unstructured
	var plain, root *unstructured.Unstructured
	sure := false
	for _, live := range c.Live.Sidecars {
		labels := selector(live.Object, "spec", "workloadSelector", "labels")
		hasSelector := get(live.Object, "spec", "workloadSelector") != nil
		switch {
		case live.GetNamespace() == f.namespace && hasSelector:
			if compile.MayMatch(labels, f.labels) {
				applying = append(applying, live)
				sure = sure || compile.Selects(labels, f.labels)
			}
		case live.GetNamespace() == f.namespace:
			plain = older(plain, live)
		case live.GetNamespace() == c.Mesh.RootNamespace && !hasSelector:
			root = older(root, live)
		}
	}
	switch {
	case sure:
	case plain != nil:
		applying = append(applying, plain)
	case root != nil:
		applying = append(applying, root)
	}
	return applying
}

func older(a, b *unstructured.Unstructured) *unstructured.Unstructured {
	if a == nil {
		return b
	}
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if bt.Before(&at) || at.Equal(&bt) && b.GetName() < a.GetName() {
		return b
	}
	return a
}

// imports reports whether the listener for a flow's port imports its host.
func imports(sidecar *unstructured.Unstructured, f flow) bool {
	listeners := items(sidecar.Object, "spec", "egress")
	var general map[string]any
	for _, listener := range listeners {
		switch number(listener, "port", "number") {
		case f.port:
			return listenerImports(listener, f.namespace, f.namespace, f.host)
		case 0:
			general = listener
		}
	}
	return general != nil && listenerImports(general, f.namespace, f.namespace, f.host)
}

// importsService reports whether some listener brings the policy's Service
// along: by its own name, or since it imports the VirtualService.
func (c *check) importsService(sidecar *unstructured.Unstructured, f flow) bool {
	gateway := c.Policy.ByEgressGateway
	host := c.Mesh.ServiceHost(policy.ServiceName(c.Policy.Name), gateway.Namespace)
	for _, listener := range items(sidecar.Object, "spec", "egress") {
		if port := number(listener, "port", "number"); port != 0 && port != f.servicePort {
			continue
		}
		if listenerImports(listener, f.namespace, gateway.Namespace, host) || listenerImports(listener, f.namespace, f.namespace, f.host) {
			return true
		}
	}
	return false
}

// listenerImports reports whether an egress listener imports a host of a
// namespace. "." is the namespace of the workload, also in the root
// namespace's Sidecar, and "~" in front takes hosts out
// (pilot/pkg/model/sidecar.go, convertIstioListenerToWrapper).
func listenerImports(listener map[string]any, workloads, namespace, host string) bool {
	found := false
	for _, entry := range texts(listener, "hosts") {
		in, name, _ := strings.Cut(entry, "/")
		in, excluded := strings.CutPrefix(in, "~")
		switch {
		case in == "." && workloads != namespace, in != "." && in != "*" && in != namespace && (in != "" || !excluded):
			continue
		case !matches(strings.ToLower(name), host):
		case excluded:
			return false
		default:
			found = true
		}
	}
	return found
}
