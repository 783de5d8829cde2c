package traffic_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// The other half of "Support two-way TLS authentication": sidecars check who the
// gateway is. The intruder is a pod that somebody runs in the gateway's namespace, with
// the gateway's labels and any service account but the gateway's: the policy's Service
// leads to it, and istiod gives it the gateway's configuration, so that it serves.
func TestASMGatewayIdentity(t *testing.T) {
	c := newCast(t)
	calls := map[string]lab.Call{"web": lab.HTTP("httpbin.org"), "secure": lab.HTTPS("httpbin.org")}
	configure := func(reference string) {
		c.update(c.gatewayHCL("") + c.policyOn(reference, c.sleepA(), webAndSecure))
	}
	configure("istio_egress_gateway.a.reference")
	c.gateway = c.gateways(1)[0]
	c.run("the gateway shows its service account", func(c *cast) {
		want := fmt.Sprintf("spiffe://cluster.local/ns/%s/sa/%s", c.egress, gatewayName)
		for entry := range calls {
			address := fmt.Sprintf("%s:%d", c.gateway.IP, c.gatewayPort(entry, "httpbin.org"))
			c.Eventually("a handshake with "+address, func(ctx context.Context) error {
				answer, _, err := c.Call(ctx, c.granted, lab.Handshake(address, c.grantSNI(entry)))
				if err == nil && !slices.Equal(answer.Identities, []string{want}) {
					err = fmt.Errorf("the gateway is %s, not %s", answer, want)
				}
				return err
			})
		}
	})
	c.Apply(c.egress, intruders)
	intruder := c.Pods(c.egress, lab.Labels{"lab": "intruder"}, 1)[0]
	either := []lab.Pod{c.gateway, intruder}
	c.run("where policies do not know it, an intruder is the gateway too", func(c *cast) {
		configure(fmt.Sprintf(`{ name = %q, namespace = %q }`, gatewayName, c.egress))
		c.ExpectOnce(c.granted, calls["web"], lab.Through(301, intruder))
		c.ExpectOnce(c.granted, calls["secure"], lab.Through(200, intruder).OverTLS())
		c.Expect(c.granted, calls["web"], lab.Through(301, either...))
	})
	c.run("where they do, sidecars refuse the intruder", func(c *cast) {
		configure("istio_egress_gateway.a.reference")
		c.ExpectOnce(c.granted, calls["web"], intruded)
		c.ExpectOnce(c.granted, calls["secure"], closed)
		// It takes calls away, as its place in the Service gives it some; it answers none.
		for range 40 {
			for entry, call := range calls {
				if answer, arrived, err := c.Call(c.t.Context(), c.granted, call); err != nil || passed(arrived, intruder) {
					c.t.Fatalf("%s through %s: %s %v", entry, intruder, answer, err)
				}
			}
		}
	})
	c.run("nor is it the gateway while there is none", func(c *cast) {
		c.update(c.gatewayHCL("replicas = 0") + c.policyOn("istio_egress_gateway.a.reference", c.sleepA(), webAndSecure))
		c.expectRefused(c.granted, calls["web"], intruded)
		c.Expect(c.granted, calls["secure"], closed)
	})
}

// intruded: the sidecar ends the handshake with somebody who is not the gateway.
var intruded = lab.Refused(503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure")

// passed reports whether a server saw a pod as its peer.
func passed(arrived []sandbox.Echo, pod lab.Pod) bool {
	return slices.ContainsFunc(arrived, func(a sandbox.Echo) bool { return a.Peer == pod.IP })
}

var intruders = fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: intruder}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: intruder}
spec:
  selector: {matchLabels: {lab: intruder}}
  template:
    metadata:
      labels: {lab: intruder, istio: %s, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: intruder
      terminationGracePeriodSeconds: 1
      containers: [{name: istio-proxy, image: auto}]
`, gatewayName)
