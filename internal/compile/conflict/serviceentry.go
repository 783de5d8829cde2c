package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// A proxy knows a host by one service. Of two ServiceEntries for it in one
// namespace the later one adds its ports, if resolution, labels and exportTo
// are equal; else it is lost (pilot/pkg/model/sidecar.go,
// appendSidecarServices, canMergeServices). Addresses and endpoints never
// merge, and of two protocols for one port the older wins. One of the proxy's
// own namespace beats those of others (selectServices), so what is exported
// from elsewhere takes nothing from a policy's.
//
// A TCP host without addresses is a case of its own: istiod gives each of its
// ServiceEntries a virtual address, DNS answers with one of them, and the
// ports of the other ServiceEntries of the host cannot be reached there.
func (c *check) serviceEntries() {
	shared := c.sharedBefore()
	for _, object := range c.objects["ServiceEntry"] {
		host, namespace := text0(object.Body, "hosts"), object.Body.GetNamespace()
		for _, live := range c.Live.ServiceEntries {
			if !visible(live, namespace) {
				continue
			}
			hosts := hostsOf(live)
			switch {
			case slices.Contains(hosts, host):
				if live.GetNamespace() == namespace {
					c.sameHost(object, live, host, shared[namespace+"/"+host])
				}
			case !c.isUpstream(object):
				c.sameListener(object, live, host)
				c.moreSpecific(object, live, host, hosts)
			}
		}
	}
}

// sameHost reports a ServiceEntry that does not merge with the policy's.
// shared is whether the policy has described the host before.
func (c *check) sameHost(object manifest.Object, live *unstructured.Unstructured, host string, shared bool) {
	m := meeting{at: c.attribute(object, host), summary: "Host is described by another ServiceEntry too"}
	if c.foreign(live) {
		m.what = fmt.Sprintf("describes %s in namespace %s as well; Istio uses one of the two, the older one, and drops ports of the other", host, live.GetNamespace())
		m.advice = "Delete it: the policy declares the host itself."
		c.meet(live, m)
		return
	}
	if !c.isUpstream(object) && (needsVirtualAddress(object.Body) || needsVirtualAddress(live)) {
		m.summary = "TCP host without addresses in two policies"
		m.what = fmt.Sprintf("describes %s in namespace %s as well, and one of the two has it for TCP without addresses: "+
			"each then has a virtual address of its own, and the host's name leads to one of them only", host, live.GetNamespace())
		m.cure = "Give the TCP entry `addresses` (the same in both policies), or put the host's entries into one policy."
		c.meet(live, m)
		return
	}
	different := difference(object.Body, live)
	if different == "" {
		return
	}
	m.what = fmt.Sprintf("describes %s in namespace %s as well, %s; the two do not merge, and what one of them says is lost", host, live.GetNamespace(), different)
	m.cure = "Give the host the same values in both policies."
	// Two policies that have shared the host so far have to change one after
	// the other: the first of them cannot wait for the second.
	m.warning = shared
	c.meet(live, m)
}

// difference says in what two ServiceEntries of one host disagree.
func difference(ours, live *unstructured.Unstructured) string {
	a, b := ours.Object, live.Object
	for _, field := range []string{"resolution", "location"} {
		if here, there := text(a, "spec", field), text(b, "spec", field); here != there {
			return fmt.Sprintf("with spec.%s %s instead of %s", field, or(there, "unset"), or(here, "unset"))
		}
	}
	for _, field := range []string{"addresses", "exportTo"} {
		if here, there := list(a, field), list(b, field); here != there {
			return fmt.Sprintf("with spec.%s %s instead of %s", field, or(there, "unset"), or(here, "unset"))
		}
	}
	if here, there := endpoints(a), endpoints(b); here != there {
		return fmt.Sprintf("with spec.endpoints %s instead of %s", or(there, "unset"), or(here, "unset"))
	}
	if !maps.Equal(ours.GetLabels(), live.GetLabels()) {
		return fmt.Sprintf("with metadata.labels %s instead of %s", labelText(live.GetLabels()), labelText(ours.GetLabels()))
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

// needsVirtualAddress reports whether istiod gives a policy's ServiceEntry an
// address.
func needsVirtualAddress(object *unstructured.Unstructured) bool {
	return object.GetLabels()[compile.LabelAutoAllocateIP] != "false" &&
		len(texts(object.Object, "spec", "addresses")) == 0 &&
		slices.ContainsFunc(items(object.Object, "spec", "ports"), func(port map[string]any) bool { return text(port, "protocol") == policy.TCP })
}

// moreSpecific reports a host that a wildcard of the policy covers, and that
// requests reach by a ServiceEntry of its own. TLS follows the wildcard's
// VirtualService all the same (pilot/pkg/networking/core/tls.go).
func (c *check) moreSpecific(object manifest.Object, live *unstructured.Unstructured, host string, hosts []string) {
	if !strings.HasPrefix(host, "*") {
		return
	}
	ours := map[int64]bool{}
	for _, port := range items(object.Body.Object, "spec", "ports") {
		ours[number(port, "number")] = section(text(port, "protocol")) == httpRoutes
	}
	for _, specific := range hosts {
		if !below(host, specific) {
			continue
		}
		for _, port := range items(live.Object, "spec", "ports") {
			n := number(port, "number")
			if !ours[n] || !isRequests(text(port, "protocol")) {
				continue
			}
			c.meet(live, meeting{
				at: c.attribute(object, host), summary: "A part of the hosts has a way of its own", warning: true,
				what:   fmt.Sprintf("describes %s, which is more specific than %s: requests to its port %d do not follow this policy's entry for the wildcard", specific, host, n),
				advice: "Delete it if they shall.",
				cure:   fmt.Sprintf("Workloads that shall reach %s need an entry that names it.", specific),
			})
		}
	}
}

// isRequests reports whether a port's protocol makes an HTTP listener. Without
// one Istio looks at the bytes.
func isRequests(protocol string) bool {
	switch strings.ToUpper(protocol) {
	case policy.HTTP, policy.HTTP2, policy.GRPC, "GRPC-WEB", "":
		return true
	}
	return false
}

// isUpstream reports whether a ServiceEntry is on the gateway's side.
func (c *check) isUpstream(object manifest.Object) bool {
	return !c.direct() && object.Body.GetNamespace() == c.Policy.ByEgressGateway.Namespace
}

// sharedBefore returns "namespace/host" of what the policy has described before
// this update.
func (c *check) sharedBefore() map[string]bool {
	if c.Prior == nil {
		return nil
	}
	before := map[string]bool{}
	for _, f := range flowsOf(*c.Prior, nil, nil) {
		before[f.namespace+"/"+f.host] = true
	}
	eachUpstream(*c.Prior, func(_ []any, host string, _ policy.To) {
		before[c.Prior.ByEgressGateway.Namespace+"/"+host] = true
	})
	return before
}

// attribute returns the first attribute that an object for a host stems from.
func (c *check) attribute(object manifest.Object, host string) []any {
	var found []any
	first := func(path []any, name string) {
		if found == nil && name == host {
			found = path
		}
	}
	if c.isUpstream(object) {
		eachUpstream(c.Policy, func(path []any, name string, _ policy.To) { first(path, name) })
		return found
	}
	for _, f := range c.flows {
		if f.namespace == object.Body.GetNamespace() {
			first(f.at, f.host)
		}
	}
	return found
}

// text0 returns the first value of a list of the spec.
func text0(object *unstructured.Unstructured, name string) string {
	if values := texts(object.Object, "spec", name); len(values) > 0 {
		return values[0]
	}
	return ""
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
