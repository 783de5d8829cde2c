package conflict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// TCP carries no host: two services on one address and port, or without
// addresses on one port, are one listener, and the first of them gets every
// call (pilot/pkg/networking/core/listener.go, mergeTCPFilterChains). Services
// of the namespace come first, the older before the younger. Requests and TLS
// tell hosts apart on such a port, and stay what they are beside TCP.

// sameListener reports a ServiceEntry of another host that takes the calls to
// an address, or to a port without addresses.
func (c *check) sameListener(d, live description) {
	ours, theirs := d.listens(), live.listens()
	for port := range d.eachPort() {
		if port.protocol != policy.TCP || !slices.Contains(live.bytePorts(), port.number) {
			continue
		}
		if len(ours) == 0 && len(theirs) == 0 {
			c.meet(live.object, meeting{
				at: c.attribute(d), summary: "TCP port without addresses is taken twice", warning: true,
				what: fmt.Sprintf("takes TCP port %d of namespace %s too, for %s: on workloads without DNS capture one of the two gets every call to the port",
					port.number, d.namespace, strings.Join(live.hosts, ", ")),
				advice: "Name the addresses of the hosts, or switch DNS capture on.",
				cure:   "Name the `addresses` of the hosts, or switch DNS capture on.",
			})
		}
		for _, address := range ours {
			if !slices.Contains(theirs, address) {
				continue
			}
			c.meet(live.object, meeting{
				at: c.attribute(d), summary: "Address leads to another host",
				what: fmt.Sprintf("takes calls to %s port %d of namespace %s for %s; one of the two hosts gets all of them",
					address, port.number, d.namespace, strings.Join(live.hosts, ", ")),
				advice: "Delete it, or use other addresses.",
				cure:   "Give one of the hosts other addresses.",
				// Services of the namespace itself come first.
				warning: live.namespace != d.namespace,
			})
		}
	}
}

// listens returns the addresses of a ServiceEntry in one spelling.
func (d description) listens() []string {
	var all []string
	for _, item := range d.addresses {
		address, _ := item.(string)
		if found, ok := prefix(address); ok {
			address = found.String()
			if found.IsSingleIP() {
				address = found.Addr().String()
			}
		}
		all = append(all, address)
	}
	return all
}

// bytePorts returns the ports of a ServiceEntry that are told apart by address
// alone. TLS is, where the service has addresses.
func (d description) bytePorts() []int64 {
	var numbers []int64
	for port := range d.eachPort() {
		protocol := strings.ToUpper(port.protocol)
		isTLS := protocol == policy.HTTPS || protocol == policy.TLSSNI
		if !isRequests(protocol) && (!isTLS || len(d.addresses) > 0) {
			numbers = append(numbers, port.number)
		}
	}
	return numbers
}
