package conflict

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// TCP carries no host: two services on one address and port, or without
// addresses on one port, are one listener, and the first of them gets every
// call (pilot/pkg/networking/core/listener.go, mergeTCPFilterChains). Services
// of the namespace come first, the older before the younger. Requests and TLS
// tell hosts apart on such a port, and stay what they are beside TCP.

// sameListener reports a ServiceEntry of another host that takes the calls to
// an address, or to a port without addresses.
func (c *check) sameListener(object manifest.Object, live *unstructured.Unstructured, host string) {
	ours, theirs := addressesOf(object.Body), addressesOf(live)
	namespace := object.Body.GetNamespace()
	for _, port := range items(object.Body.Object, "spec", "ports") {
		n := number(port, "number")
		if text(port, "protocol") != policy.TCP || !slices.Contains(bytePorts(live), n) {
			continue
		}
		if len(ours) == 0 && len(theirs) == 0 {
			c.meet(live, meeting{
				at: c.attribute(object, host), summary: "TCP port without addresses is taken twice", warning: true,
				what: fmt.Sprintf("takes TCP port %d of namespace %s too, for %s: on workloads without DNS capture one of the two gets every call to the port",
					n, namespace, strings.Join(hostsOf(live), ", ")),
				advice: "Name the addresses of the hosts, or switch DNS capture on.",
				cure:   "Name the `addresses` of the hosts, or switch DNS capture on.",
			})
		}
		for _, address := range ours {
			if !slices.Contains(theirs, address) {
				continue
			}
			c.meet(live, meeting{
				at: c.attribute(object, host), summary: "Address leads to another host",
				what: fmt.Sprintf("takes calls to %s port %d of namespace %s for %s; one of the two hosts gets all of them",
					address, n, namespace, strings.Join(hostsOf(live), ", ")),
				advice: "Delete it, or use other addresses.",
				cure:   "Give one of the hosts other addresses.",
				// Services of the namespace itself come first.
				warning: live.GetNamespace() != namespace,
			})
		}
	}
}

// addressesOf returns the addresses of a ServiceEntry in one spelling.
func addressesOf(object *unstructured.Unstructured) []string {
	all := texts(object.Object, "spec", "addresses")
	for i, address := range all {
		if found, ok := prefix(address); ok {
			all[i] = found.String()
			if found.IsSingleIP() {
				all[i] = found.Addr().String()
			}
		}
	}
	return all
}

// bytePorts returns the ports of a ServiceEntry that are told apart by address
// alone. TLS is, where the service has addresses.
func bytePorts(live *unstructured.Unstructured) []int64 {
	addressed := len(texts(live.Object, "spec", "addresses")) > 0
	var numbers []int64
	for _, port := range items(live.Object, "spec", "ports") {
		protocol := strings.ToUpper(text(port, "protocol"))
		isTLS := protocol == policy.HTTPS || protocol == policy.TLSSNI
		if !isRequests(protocol) && (!isTLS || addressed) {
			numbers = append(numbers, number(port, "number"))
		}
	}
	return numbers
}
