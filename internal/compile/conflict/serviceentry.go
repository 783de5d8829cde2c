package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// A proxy knows a host by one service. Of two ServiceEntries for it in one
// namespace the later one adds its ports, if resolution, labels and exportTo
// are equal; else it is lost (pilot/pkg/model/sidecar.go, canMergeServices).
// Addresses and endpoints never merge, and of two protocols for one port the
// older wins. One of the proxy's own namespace beats those of others, and an
// exact host a wildcard, so what is exported from elsewhere takes nothing.
//
// TCP carries no host: two services on one address and port, or without
// addresses on one port, are one listener, and one of them gets every call.
func (c *check) serviceEntries() {
	for _, object := range c.objects["ServiceEntry"] {
		for _, live := range c.Live.ServiceEntries {
			if !visible(live, object.Body.GetNamespace()) {
				continue
			}
			hosts := texts(live.Object, "spec", "hosts")
			host := texts(object.Body.Object, "spec", "hosts")[0]
			same := live.GetNamespace() == object.Body.GetNamespace()
			switch {
			case same && slices.Contains(hosts, host):
				c.sameHost(object, live, host)
			case slices.Contains(hosts, host):
			default:
				c.sameListener(object, live, host)
				c.moreSpecific(object, live, host, hosts)
			}
		}
	}
}

// sameHost reports a ServiceEntry that does not merge with the policy's.
func (c *check) sameHost(object manifest.Object, live *unstructured.Unstructured, host string) {
	different := difference(object.Body, live)
	foreign := c.foreign(live)
	if different == "" && !foreign {
		return
	}
	if different == "" {
		different = "and Istio uses one of the two"
	}
	c.meet(live, meeting{
		at: c.attribute(object, host), summary: "Host is described by another ServiceEntry too",
		what:   fmt.Sprintf("describes %s in namespace %s as well, %s; the two do not merge, and one is lost", host, live.GetNamespace(), different),
		advice: c.merging(foreign),
		// Two policies that have shared the host so far have to change one
		// after the other: the first of them cannot wait for the second.
		warning: !foreign && c.prior[object.Key],
	})
}

func (c *check) merging(foreign bool) string {
	if foreign {
		return "Delete it: the policy declares the host itself."
	}
	return "Give the host the same values in both policies."
}

// difference says in what two ServiceEntries of one host disagree.
func difference(ours, live *unstructured.Unstructured) string {
	a, b := ours.Object, live.Object
	for _, field := range []string{"resolution", "location"} {
		if here, there := text(a, "spec", field), text(b, "spec", field); here != there {
			return fmt.Sprintf("with spec.%s %s instead of %s", field, or(there, "unset"), here)
		}
	}
	if here, there := list(a, "addresses"), list(b, "addresses"); here != there {
		return fmt.Sprintf("with spec.addresses %s instead of %s", or(there, "unset"), or(here, "unset"))
	}
	if here, there := endpoints(a), endpoints(b); here != there {
		return fmt.Sprintf("with spec.endpoints %s instead of %s", or(there, "unset"), or(here, "unset"))
	}
	if !maps.Equal(ours.GetLabels(), live.GetLabels()) {
		return fmt.Sprintf("with metadata.labels %s instead of %s", labelText(live.GetLabels()), labelText(ours.GetLabels()))
	}
	if here, there := list(a, "exportTo"), list(b, "exportTo"); here != there {
		return fmt.Sprintf("with spec.exportTo %s instead of %s", or(there, "unset"), here)
	}
	protocols := map[int64]string{}
	for _, port := range items(b, "spec", "ports") {
		protocols[number(port, "number")] = text(port, "protocol")
	}
	for _, port := range items(a, "spec", "ports") {
		n := number(port, "number")
		if there, ok := protocols[n]; ok && there != text(port, "protocol") {
			return fmt.Sprintf("with protocol %s on port %d instead of %s", there, n, text(port, "protocol"))
		}
	}
	return ""
}

// sameListener reports a ServiceEntry of another host that takes the calls to
// an address, or to a port without addresses.
func (c *check) sameListener(object manifest.Object, live *unstructured.Unstructured, host string) {
	if c.upstream(object) {
		return // the gateway dials it, and has no listener for it
	}
	ours, theirs := texts(object.Body.Object, "spec", "addresses"), texts(live.Object, "spec", "addresses")
	for _, port := range items(object.Body.Object, "spec", "ports") {
		n := number(port, "number")
		if text(port, "protocol") != policy.TCP || !slices.Contains(tcpPorts(live), n) {
			continue
		}
		if len(ours) == 0 && len(theirs) == 0 {
			c.meet(live, meeting{
				at: c.attribute(object, host), summary: "TCP port without addresses is taken twice", warning: true,
				what: fmt.Sprintf("takes TCP port %d of namespace %s too, for other hosts: on workloads without DNS capture one of the two gets every call to the port",
					n, object.Body.GetNamespace()),
				advice: "Name the addresses of the hosts, or switch DNS capture on.",
			})
		}
		for _, address := range ours {
			if slices.Contains(theirs, address) {
				c.meet(live, meeting{
					at: c.attribute(object, host), summary: "Address leads to another host",
					what: fmt.Sprintf("takes calls to %s port %d of namespace %s for %s; one of the two hosts gets all of them",
						address, n, object.Body.GetNamespace(), strings.Join(texts(live.Object, "spec", "hosts"), ", ")),
					advice:  "Delete it, or use other addresses.",
					warning: live.GetNamespace() != object.Body.GetNamespace(),
				})
			}
		}
	}
}

// moreSpecific reports a host that a wildcard of the policy covers, and that
// leaves by a ServiceEntry of its own.
func (c *check) moreSpecific(object manifest.Object, live *unstructured.Unstructured, host string, hosts []string) {
	if !strings.HasPrefix(host, "*") || c.upstream(object) {
		return
	}
	for _, specific := range hosts {
		if matches(host, specific) && c.foreign(live) {
			c.meet(live, meeting{
				at: c.attribute(object, host), summary: "Host has a way of its own", warning: true,
				what:   fmt.Sprintf("describes %s, which is more specific than %s: its calls take that way, not the policy's", specific, host),
				advice: "Delete it if they shall go through the gateway.",
			})
		}
	}
}

// upstream reports whether a ServiceEntry is on the gateway's side.
func (c *check) upstream(object manifest.Object) bool {
	return c.Policy.ByEgressGateway != nil && object.Body.GetNamespace() == c.Policy.ByEgressGateway.Namespace
}

// attribute returns the first attribute that an object for a host stems from.
func (c *check) attribute(object manifest.Object, host string) []any {
	namespace := object.Body.GetNamespace()
	var found []any
	eachEntry(c.Policy, func(path []any, rule policy.Rule, to policy.To) {
		if found != nil {
			return
		}
		if c.upstream(object) && to.ResolveTo != nil {
			if *to.ResolveTo == host {
				found = at(path, "resolve_to")
			}
			return
		}
		from := func(from policy.From) bool { return from.Namespace == namespace }
		if !c.upstream(object) && !slices.ContainsFunc(rule.From, from) {
			return
		}
		for k, name := range to.Hosts {
			if found == nil && policy.MeshHost(name) == host {
				found = at(path, "hosts", k)
			}
		}
	})
	return found
}

func tcpPorts(live *unstructured.Unstructured) []int64 {
	var numbers []int64
	for _, port := range items(live.Object, "spec", "ports") {
		if text(port, "protocol") == policy.TCP {
			numbers = append(numbers, number(port, "number"))
		}
	}
	return numbers
}

// list returns the sorted values of a list of the spec.
func list(fields map[string]any, name string) string {
	values := texts(fields, "spec", name)
	slices.Sort(values)
	return strings.Join(values, ", ")
}

func endpoints(fields map[string]any) string {
	var addresses []string
	for _, endpoint := range items(fields, "spec", "endpoints") {
		addresses = append(addresses, text(endpoint, "address"))
	}
	slices.Sort(addresses)
	return strings.Join(addresses, ", ")
}

func labelText(labels map[string]string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
