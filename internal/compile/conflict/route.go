package conflict

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// route is one match of one route of a VirtualService, for the sidecars.
type route struct {
	// section is where it stands, field its full path.
	section, field string
	// match is nil for a route without a match, which matches everything.
	match map[string]any
	// destinations are the hosts that it leads to.
	destinations []string
}

// routes yields the matches of a section of a VirtualService.
func routes(live *unstructured.Unstructured, section string) iter.Seq[route] {
	return func(yield func(route) bool) {
		for i, fields := range items(live.Object, "spec", section) {
			r := route{section: section, field: fmt.Sprintf("spec.%s[%d]", section, i)}
			for _, to := range items(fields, "route") {
				r.destinations = append(r.destinations, text(to, "destination", "host"))
			}
			matches := items(fields, "match")
			if len(matches) == 0 && section != policy.SectionTLS && !yield(r) {
				return
			}
			for j, match := range matches {
				r.match = match
				r.field = fmt.Sprintf("spec.%s[%d].match[%d]", section, i, j)
				if !yield(r) {
					return
				}
			}
		}
	}
}

// meets reports whether the route is there for some workload of the flow. All
// that it looks at is evaluated in istiod for each proxy, so that what is left
// out does not exist for it.
func (r route) meets(f flow) bool {
	if r.match == nil {
		return true
	}
	gateways := texts(r.match, "gateways")
	if !forSidecars(gateways) {
		return false
	}
	if port := number(r.match, "port"); port != 0 && port != f.port {
		return false
	}
	if r.section == policy.SectionHTTP && len(gateways) > 0 {
		// Such a match takes no notice of its source labels and namespace
		// (pilot/pkg/networking/core/route/route.go, sourceMatchHTTP).
		return true
	}
	if namespace := text(r.match, "sourceNamespace"); namespace != "" && namespace != f.namespace {
		return false
	}
	return compile.MayMatch(selector(r.match, "sourceLabels"), f.labels) && r.subnetsMeet(f)
}

// subnetsMeet reports whether the addresses of a TCP flow are among those that
// the match is for. Of a name without addresses none is known.
func (r route) subnetsMeet(f flow) bool {
	subnets := texts(r.match, "destinationSubnets")
	if r.section != policy.SectionTCP || len(subnets) == 0 || len(f.addresses) == 0 {
		return true
	}
	for _, subnet := range subnets {
		for _, address := range f.addresses {
			a, aok := prefix(subnet)
			b, bok := prefix(address)
			if !aok || !bok || a.Overlaps(b) {
				return true
			}
		}
	}
	return false
}

// prefix reads an address or a range.
func prefix(text string) (netip.Prefix, bool) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), true
	}
	found, err := netip.ParsePrefix(text)
	return found.Masked(), err == nil
}

// taking is how much of a flow another route takes, if it comes first.
type taking int

const (
	takesNothing taking = iota
	// takesPart is some of the hosts that a wildcard stands for.
	takesPart
	// takesUnselected is only what the policy's own route leaves.
	takesUnselected
	// takesPort is everything on the port, also if it does not come first.
	takesPort
	takesAll
)

// takes compares the names that a route is for with the flow's host. hosts are
// those of the VirtualService.
func (r route) takes(f flow, hosts []string) taking {
	equal := slices.Contains(hosts, f.host)
	isBelow := func(host string) bool { return f.isWildcard() && below(f.host, host) }
	switch r.section {
	case policy.SectionTCP:
		return takesAll
	case policy.SectionHTTP:
		switch {
		case equal:
			return takesAll
		case f.port == 80 && slices.ContainsFunc(hosts, func(host string) bool { return isBelow(host) && !strings.HasPrefix(host, "*") }):
			// Hosts without a service get a virtual host on port 80 only, and
			// wildcards that some service matches do not
			// (pilot/pkg/networking/core/route/route.go,
			// buildSidecarVirtualHostsForVirtualService).
			return takesPart
		}
		return takesNothing
	}
	names := texts(r.match, "sniHosts")
	switch {
	case slices.Contains(names, f.host) && slices.ContainsFunc(names, func(name string) bool { return name != f.host }) &&
		len(texts(r.match, "destinationSubnets")) == 0:
		return takesPort
	case slices.Contains(names, f.host):
		return takesAll
	case slices.ContainsFunc(names, isBelow):
		return takesPart
	case slices.ContainsFunc(names, func(name string) bool { return matches(name, f.host) }):
		return takesUnselected
	}
	return takesNothing
}
