package conflict

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
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
	type place struct{ namespace, host string }
	own := map[place]description{}
	var alert []description // those that other hosts may have to do with
	for _, object := range c.objects["ServiceEntry"] {
		d := describe(object.Body)
		own[place{d.namespace, d.hosts[0]}] = d
		if !c.isUpstream(d) && (strings.HasPrefix(d.hosts[0], "*") || d.hasTCP()) {
			alert = append(alert, d)
		}
	}
	for _, object := range c.Live.ServiceEntries {
		live := describe(object)
		for _, host := range live.hosts {
			if d, ok := own[place{live.namespace, host}]; ok && visible(object, d.namespace) {
				c.sameHost(d, live, host, shared[d.namespace+"/"+host])
			}
		}
		for _, d := range alert {
			if visible(object, d.namespace) && !slices.Contains(live.hosts, d.hosts[0]) {
				c.sameListener(d, live)
				c.moreSpecific(d, live)
			}
		}
	}
}

// description is what a ServiceEntry says of its hosts. It is read once: where
// many policies share a host, each of them looks at the ServiceEntries of all.
type description struct {
	object               *unstructured.Unstructured
	namespace            string
	hosts                []string
	labels               map[string]any
	resolution, location string
	addresses, exportTo  []any
	endpoints, ports     []any
}

func describe(object *unstructured.Unstructured) description {
	metadata, _ := object.Object["metadata"].(map[string]any)
	spec, _ := object.Object["spec"].(map[string]any)
	d := description{object: object, hosts: hostsOf(object)}
	d.namespace, _ = metadata["namespace"].(string)
	d.labels, _ = metadata["labels"].(map[string]any)
	d.resolution, _ = spec["resolution"].(string)
	d.location, _ = spec["location"].(string)
	d.addresses, _ = spec["addresses"].([]any)
	d.exportTo, _ = spec["exportTo"].([]any)
	d.endpoints, _ = spec["endpoints"].([]any)
	d.ports, _ = spec["ports"].([]any)
	return d
}

// sameHost reports a ServiceEntry that does not merge with the policy's.
// shared is whether the policy has described the host before.
func (c *check) sameHost(d, live description, host string, shared bool) {
	m := meeting{summary: "Host is described by another ServiceEntry too"}
	switch {
	case c.foreign(live.object):
		m.what = fmt.Sprintf("describes %s in namespace %s as well; Istio uses one of the two, the older one, and drops ports of the other", host, live.namespace)
		m.advice = "Delete it: the policy declares the host itself."
	case !c.isUpstream(d) && (d.needsVirtualAddress() || live.needsVirtualAddress()):
		m.summary = "TCP host without addresses in two policies"
		m.what = fmt.Sprintf("describes %s in namespace %s as well, and one of the two has it for TCP without addresses: "+
			"each then has a virtual address of its own, and the host's name leads to one of them only", host, live.namespace)
		m.cure = "Give the TCP entry `addresses` (the same in both policies), or put the host's entries into one policy."
	default:
		different := difference(d, live)
		if different == "" {
			return
		}
		m.what = fmt.Sprintf("describes %s in namespace %s as well, %s; the two do not merge, and what one of them says is lost", host, live.namespace, different)
		m.cure = "Give the host the same values in both policies."
		// Two policies that have shared the host so far have to change one
		// after the other: the first of them cannot wait for the second.
		m.warning = shared
	}
	m.at = c.attribute(d)
	c.meet(live.object, m)
}

// difference says in what two ServiceEntries of one host disagree.
func difference(ours, live description) string {
	differ := func(field, here, there string) string {
		return fmt.Sprintf("with %s %s instead of %s", field, or(there, "unset"), or(here, "unset"))
	}
	switch {
	case ours.resolution != live.resolution:
		return differ("spec.resolution", ours.resolution, live.resolution)
	case ours.location != live.location:
		return differ("spec.location", ours.location, live.location)
	case !sameTexts(ours.addresses, live.addresses):
		return differ("spec.addresses", sorted(ours.addresses), sorted(live.addresses))
	case !sameTexts(ours.exportTo, live.exportTo):
		return differ("spec.exportTo", sorted(ours.exportTo), sorted(live.exportTo))
	case !sameTexts(endpoints(ours), endpoints(live)):
		return differ("spec.endpoints", sorted(endpoints(ours)), sorted(endpoints(live)))
	case !maps.Equal(ours.labels, live.labels):
		return differ("metadata.labels", labelText(ours.labels), labelText(live.labels))
	}
	for port := range ours.eachPort() {
		for other := range live.eachPort() {
			if port.number == other.number && port.protocol != other.protocol {
				return fmt.Sprintf("with protocol %s on port %d instead of %s", other.protocol, port.number, port.protocol)
			}
		}
	}
	return ""
}

// needsVirtualAddress reports whether istiod gives a policy's ServiceEntry an
// address.
func (d description) needsVirtualAddress() bool {
	return d.labels[compile.LabelAutoAllocateIP] != "false" && d.hasTCP()
}

func (d description) hasTCP() bool {
	for port := range d.eachPort() {
		if port.protocol == policy.TCP {
			return true
		}
	}
	return false
}

// port is a port of a ServiceEntry.
type port struct {
	number   int64
	protocol string
}

func (d description) eachPort() iter.Seq[port] {
	return func(yield func(port) bool) {
		for _, item := range d.ports {
			fields, _ := item.(map[string]any)
			if !yield(port{number(fields, "number"), text(fields, "protocol")}) {
				return
			}
		}
	}
}

// moreSpecific reports a host that a wildcard of the policy covers, and that
// requests reach by a ServiceEntry of its own. TLS follows the wildcard's
// VirtualService all the same (pilot/pkg/networking/core/tls.go).
func (c *check) moreSpecific(d, live description) {
	wildcard := d.hosts[0]
	if !strings.HasPrefix(wildcard, "*") {
		return
	}
	for _, specific := range live.hosts {
		if !below(wildcard, specific) {
			continue
		}
		for port := range d.eachPort() {
			for other := range live.eachPort() {
				if port.number != other.number || policy.Section(port.protocol) != policy.SectionHTTP || !isRequests(other.protocol) {
					continue
				}
				c.meet(live.object, meeting{
					at: c.attribute(d), summary: "A part of the hosts has a way of its own", warning: true,
					what: fmt.Sprintf("describes %s, which is more specific than %s: requests to its port %d do not follow this policy's entry for the wildcard",
						specific, wildcard, port.number),
					advice: "Delete it if they shall.",
					cure:   fmt.Sprintf("Workloads that shall reach %s need an entry that names it.", specific),
				})
			}
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
func (c *check) isUpstream(d description) bool {
	return !c.direct() && d.namespace == c.Policy.ByEgressGateway.Namespace
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

// attribute returns the first attribute that a ServiceEntry stems from.
func (c *check) attribute(d description) []any {
	var found []any
	first := func(path []any, name string) {
		if found == nil && name == d.hosts[0] {
			found = path
		}
	}
	if c.isUpstream(d) {
		eachUpstream(c.Policy, func(path []any, name string, _ policy.To) { first(path, name) })
		return found
	}
	for _, f := range c.flows {
		if f.namespace == d.namespace {
			first(f.at, f.host)
		}
	}
	return found
}

// sameTexts reports whether two lists have the same texts in any order.
func sameTexts(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	inOrder := slices.EqualFunc(a, b, func(x, y any) bool { return x == y })
	return inOrder || sorted(a) == sorted(b)
}

// sorted writes the texts of a list in their order.
func sorted(list []any) string {
	var values []string
	for _, item := range list {
		value, _ := item.(string)
		values = append(values, value)
	}
	slices.Sort(values)
	return strings.Join(values, ", ")
}

func endpoints(d description) []any {
	var addresses []any
	for _, item := range d.endpoints {
		fields, _ := item.(map[string]any)
		addresses = append(addresses, text(fields, "address"))
	}
	return addresses
}

func labelText(labels map[string]any) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", key, labels[key]))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}
