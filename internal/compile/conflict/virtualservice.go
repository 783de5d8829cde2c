package conflict

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// A sidecar has any number of VirtualServices for one host as long as their
// labels, source namespaces and ports have no workload in common; else one of
// them, chosen by visibility and age, gets all of it and the other is lost
// without a word. Private ones of the workload's namespace come first
// (pilot/pkg/model/virtualservice.go, SelectVirtualServices), and those of a
// policy are. What one from another namespace may still take:
//
//   - the workloads that the policy does not select: its own routes vanish
//     for them, and they follow the next VirtualService;
//   - a whole port, if it lists the host's server name among others: equal
//     lists are dropped, overlapping ones make two filter chains that Envoy
//     refuses (pilot/pkg/networking/core/tls.go, matchHasBeenHandled).
//
// How wildcards meet exact hosts depends on the protocol:
//
//   - HTTP: each service goes to the one VirtualService with the most specific
//     host, whatever its ports, labels or routes are
//     (pilot/pkg/model/sidecar.go, computeWildcardHostVirtualServiceIndex). So
//     a wildcard takes nothing from an exact host; but two for one wildcard
//     host cannot both work. For exact hosts each is asked in turn.
//   - TLS: those whose hosts overlap are walked in order, and the server names
//     of their matches compared, of which Envoy takes the most specific.
//   - TCP: the same, without names; the first that matches gets the port.
func (c *check) virtualServices() {
	var forMesh []*unstructured.Unstructured
	for _, live := range c.Live.VirtualServices {
		gateways := texts(live.Object, "spec", "gateways")
		if !c.direct() && namespaceOf(live) == c.Policy.ByEgressGateway.Namespace {
			c.boundToGateway(live, gateways)
		}
		if forSidecars(gateways) {
			forMesh = append(forMesh, live)
		}
	}
	sorted := hosted(forMesh)
	for _, f := range c.flows {
		for _, live := range sorted.mayHave(f.host) {
			if !visible(live, f.namespace) {
				continue
			}
			hosts := hostsOf(live)
			switch {
			case !slices.ContainsFunc(hosts, func(host string) bool { return overlaps(host, f.host) }):
			case c.direct():
				c.directRoute(live, f, hosts)
			default:
				c.route(live, f, hosts)
			}
		}
	}
}

// route reports what a VirtualService that is visible to a flow's sidecars,
// and has an overlapping host, does to it.
func (c *check) route(live *unstructured.Unstructured, f flow, hosts []string) {
	same := live.GetNamespace() == f.namespace
	if same && c.sameWildcard(live, f, hosts) {
		return
	}
	for r := range routes(live, policy.Section(f.protocol)) {
		if !r.meets(f) {
			continue
		}
		switch r.takes(f, hosts) {
		case takesNothing:
		case takesPart:
			if !c.foreign(live) {
				continue // another policy grants that host by name
			}
			c.meet(live, meeting{
				at: f.at, summary: "A part of the hosts is routed by another VirtualService", warning: true,
				what:   fmt.Sprintf("routes a host that is more specific than %s (%s): calls to it go that way, not through the policy's entry", f, r.field),
				advice: "Delete it if they shall go through the gateway by this entry.",
			})
		case takesUnselected:
			c.bypass(live, f, r.field)
		case takesPort:
			c.meet(live, meeting{
				at: f.at, summary: "Calls are routed by another VirtualService too",
				what: fmt.Sprintf("matches the server name %s together with others (%s.sniHosts): for %s Envoy refuses the port's whole listener, "+
					"since a server name may be in one filter chain only", f.host, r.field, f.workloads()),
				advice: fmt.Sprintf("Take %s out of that match, or limit that VirtualService with spec.exportTo.", f.host),
			})
		case takesAll:
			if !same {
				// Of one wildcard host requests know the private one alone.
				if !f.isWildcard() || r.section != policy.SectionHTTP {
					c.bypass(live, f, r.field)
				}
				continue
			}
			c.meet(live, meeting{
				at: f.at, summary: "Calls are routed by another VirtualService too",
				what:   fmt.Sprintf("routes %s for %s as well (%s); Istio uses one of the two routes, the older one, and drops the other", f, f.workloads(), r.field),
				advice: "Delete it, or give one of them source labels that no workload of the other has.",
				cure:   "Give their sources labels that no workload has in common, or take the host out of one of them.",
			})
		}
	}
}

// sameWildcard reports two VirtualServices of one namespace for one wildcard
// host, of which requests know only the older, whatever it routes.
func (c *check) sameWildcard(live *unstructured.Unstructured, f flow, hosts []string) bool {
	theirs := len(items(live.Object, "spec", policy.SectionHTTP)) > 0
	if !f.isWildcard() || !slices.Contains(hosts, f.host) || policy.Section(f.protocol) != policy.SectionHTTP && (!theirs || c.foreign(live)) {
		return false
	}
	c.meet(live, meeting{
		at: f.at, summary: "Wildcard host has another VirtualService",
		what: fmt.Sprintf("is for %s in namespace %s as well (spec.hosts). Of two for one wildcard host Istio takes the older for all requests, "+
			"whatever ports and labels they name, and drops the other", f.host, f.namespace),
		advice: "Delete it: the policy routes the host itself.",
		cure:   "Put the host's entries into one policy.",
	})
	return true
}

// bypass reports a way for the workloads that the policy means to deny a host.
func (c *check) bypass(live *unstructured.Unstructured, f flow, field string) {
	if len(f.labels) == 0 || !c.denies() || !c.foreign(live) {
		return
	}
	c.meet(live, meeting{
		at: f.at, summary: "Workloads that are not selected have another way out", warning: true,
		what: fmt.Sprintf("is visible in namespace %s and routes %s (%s): the workloads there that are not %s follow it, "+
			"though this policy means to deny them the host", f.namespace, f, field, f.workloads()),
		advice: `Limit it with spec.exportTo, for example ["."], or with source labels.`,
	})
}

// directRoute reports a route that leads the calls of a direct policy away.
func (c *check) directRoute(live *unstructured.Unstructured, f flow, hosts []string) {
	if !c.foreign(live) {
		return // what the two disagree about shows in their ServiceEntries
	}
	for r := range routes(live, policy.Section(f.protocol)) {
		if !r.meets(f) || r.takes(f, hosts) != takesAll || !slices.ContainsFunc(r.destinations, func(host string) bool { return host != f.host }) {
			continue
		}
		c.meet(live, meeting{
			at: f.at, summary: "Direct calls are routed by a VirtualService", warning: true,
			what:   fmt.Sprintf("is visible in namespace %s and routes %s to %s (%s), not to the host itself", f.namespace, f, strings.Join(r.destinations, ", "), r.field),
			advice: "Delete it if the calls shall go directly.",
		})
	}
}

// boundToGateway reports a VirtualService that takes part in the routes of the
// policy's own servers: they take those of the gateway's namespace, and of
// several for one host the routes are put in a row. One of another policy says
// that its Gateway has the name, which is told where the port is reserved.
func (c *check) boundToGateway(live *unstructured.Unstructured, gateways []string) {
	if !slices.ContainsFunc(gateways, func(gateway string) bool { return gateway != "mesh" }) || !c.foreign(live) {
		return
	}
	hosts := hostsOf(live)
	for _, object := range c.objects["Gateway"] {
		name := object.Body.GetName()
		if !slices.Contains(gateways, name) && !slices.Contains(gateways, object.Body.GetNamespace()+"/"+name) {
			continue
		}
		for i, server := range items(object.Body.Object, "spec", "servers") {
			served := func(host string) bool {
				return slices.ContainsFunc(texts(server, "hosts"), func(own string) bool { return overlaps(strings.TrimPrefix(own, "./"), host) })
			}
			if !slices.ContainsFunc(hosts, served) {
				continue
			}
			c.meet(live, meeting{
				at: c.portAttribute(number(server, "port", "number")), summary: "Another VirtualService routes what arrives for the policy",
				what:   fmt.Sprintf("is bound to the policy's Gateway %s (spec.gateways), and for its server %d; its routes mix with the policy's", name, i),
				advice: "Delete it, or bind it to a Gateway of its own.",
			})
		}
	}
}

// forSidecars reports whether gateways of a VirtualService, or of a match,
// name the sidecars. None does too.
func forSidecars(gateways []string) bool {
	return len(gateways) == 0 || slices.Contains(gateways, "mesh")
}
