package conflict

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// A sidecar has any number of VirtualServices for one host as long as their
// labels, source namespaces and ports have no workload in common; else one of
// them, chosen by visibility and age, gets all of it and the other is lost
// without a word (pilot/pkg/networking/core/httproute.go, tls.go).
//
// Private ones of the namespace come first (pilot/pkg/model/virtualservice.go),
// and those of a policy are. So one from another namespace takes nothing from
// the workloads that the policy selects; the others of the namespace, for whom
// the policy's routes vanish, follow it past the gateway.
//
// A wildcard host loses against the exact one for requests and by SNI
// (pilot/pkg/model/sidecar.go, computeWildcardHostVirtualServiceIndex); TCP
// routes are walked in order, whatever the host.
func (c *check) virtualServices() {
	for _, live := range c.Live.VirtualServices {
		if !forSidecars(texts(live.Object, "spec", "gateways")) {
			continue
		}
		hosts := texts(live.Object, "spec", "hosts")
		for _, f := range c.flows {
			meets := func(host string) bool {
				return host == f.host || f.protocol == policy.TCP && matches(host, f.host)
			}
			if !slices.ContainsFunc(hosts, meets) || !visible(live, f.namespace) {
				continue
			}
			if field, ok := routes(live, f); ok {
				c.virtualService(live, f, field)
			}
		}
	}
}

func (c *check) virtualService(live *unstructured.Unstructured, f flow, field string) {
	if live.GetNamespace() == f.namespace {
		c.meet(live, meeting{
			at: f.at, summary: "Calls are routed by another VirtualService too",
			what:   fmt.Sprintf("routes %s for %s as well (%s); Istio uses one of the two routes and drops the other", f, f.workloads(), field),
			advice: "Delete it, or give one of them source labels that no workload of the other has.",
		})
		return
	}
	if len(f.labels) == 0 || c.Policy.ByEgressGateway == nil || c.Policy.UnselectedWorkloads == policy.Direct {
		return
	}
	c.meet(live, meeting{
		at: f.at, summary: "Workloads that are not selected have another way out", warning: true,
		what: fmt.Sprintf("is exported to namespace %s and routes %s (%s): it is followed by the workloads there that are not %s, "+
			"which this policy means to deny the host", f.namespace, f, field, f.workloads()),
		advice: `Limit it with spec.exportTo, for example ["."].`,
	})
}

func forSidecars(gateways []string) bool {
	return len(gateways) == 0 || slices.Contains(gateways, "mesh")
}

// routes returns the route of a VirtualService that may take a flow's calls.
func routes(live *unstructured.Unstructured, f flow) (field string, ok bool) {
	kind := section(f.protocol)
	for i, route := range items(live.Object, "spec", kind) {
		field := fmt.Sprintf("spec.%s[%d]", kind, i)
		matches := items(route, "match")
		if len(matches) == 0 && kind != "tls" {
			return field, true
		}
		for j, match := range matches {
			if matchMeets(kind, match, f) {
				return fmt.Sprintf("%s.match[%d]", field, j), true
			}
		}
	}
	return "", false
}

func matchMeets(kind string, match map[string]any, f flow) bool {
	gateways := texts(match, "gateways")
	if !forSidecars(gateways) {
		return false
	}
	if port := number(match, "port"); port != 0 && port != f.port {
		return false
	}
	if kind == "tls" && !slices.Contains(texts(match, "sniHosts"), f.host) {
		return false
	}
	if kind == "http" && len(gateways) > 0 {
		// Such a match takes no notice of its source labels and namespace
		// (pilot/pkg/networking/core/route/route.go).
		return true
	}
	if namespace := text(match, "sourceNamespace"); namespace != "" && namespace != f.namespace {
		return false
	}
	return mayMatch(selector(match, "sourceLabels"), f.labels)
}
