package traffic_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// webAndSecure are the entries of a policy for HTTP and HTTPS of one host.
const webAndSecure = `{
    name  = "web"
    hosts = ["httpbin.org"]
    port  = { name = "http", number = 80, protocol = "HTTP" }
  },
  {
    name  = "secure"
    hosts = ["httpbin.org"]
    port  = { name = "https", number = 443, protocol = "HTTPS" }
  }`

// "Create an egress gateway": create, other ports, more and fewer replicas, a rolling
// update. All the while one workload calls through it and another tries to.
func TestASMGateway(t *testing.T) {
	c := newCast(t)
	policy := c.policyHCL(c.shopSleepA(), webAndSecure)
	configure := func(attributes string) { c.update(c.gatewayHCL(attributes) + policy) }

	configure(`replicas = 1`)
	c.gateway = c.gateways(1)[0]
	c.expectGranted(lab.HTTP("httpbin.org"), 301, false, "web")
	streams := []*lab.Stream{
		c.Stream(c.granted, lab.HTTP("httpbin.org"), lab.Answered(301)),
		c.Stream(c.granted, lab.HTTPS("httpbin.org"), lab.Answered(200).OverTLS()),
		c.Stream(c.unselected, lab.HTTP("httpbin.org"), nobodyHome),
	}
	flow := func() {
		for _, stream := range streams {
			stream.Grow(25)
		}
	}

	const ports = `ports = [{ name = "http2", port = 8080 }, { name = "tls", port = 9443, target_port = 8443 }]`
	c.run("ports", func(c *cast) {
		configure("replicas = 1\n" + ports)
		flow()
	})
	c.run("more replicas", func(c *cast) {
		configure("replicas = 2\n" + ports)
		for _, pod := range c.gateways(2) {
			c.ExpectOnce(c.granted, lab.HTTP("httpbin.org"), lab.Through(301, pod))
		}
		flow()
	})
	c.run("rolling update", func(c *cast) {
		before := c.gateways(2)
		configure("replicas = 2\n" + ports + `
  rolling_update = { max_unavailable = "0", max_surge = "1" }
  pod            = { annotations = { rolled = "once" } }`)
		after := c.gateways(2)
		for _, pod := range after {
			if pod == before[0] || pod == before[1] {
				c.t.Errorf("%s is still there", pod)
			}
		}
		flow()
	})
	c.run("fewer replicas", func(c *cast) {
		configure("replicas = 1\n" + ports + "\npod = { annotations = { rolled = \"once\" } }")
		c.gateways(1)
		flow()
	})
	for _, stream := range streams {
		stream.End()
	}
}

// The same document's "Support two-way TLS authentication": without it the gateway
// knows nobody; back on, it refuses as before.
func TestASMGatewayMutualTLS(t *testing.T) {
	c := newCast(t)
	policy := c.policyHCL(c.shopSleepA(), webAndSecure)
	c.update(c.gatewayHCL("") + policy)
	c.run("off", func(c *cast) {
		c.apply(c.gatewayHCL("mutual_tls = false\nauthorization = \"none\"") + policy)
		c.Expect(c.granted, lab.HTTP("httpbin.org"), lab.Through(301, c.gateway))
		c.Expect(c.granted, lab.HTTPS("httpbin.org"), lab.Through(200, c.gateway).OverTLS())
		c.Expect(c.unselected, lab.HTTP("httpbin.org"), nobodyHome)
		// Whoever dials the gateway in plain text gets through.
		plain := lab.HTTP("httpbin.org")
		plain.Address, plain.Host = fmt.Sprintf("%s:%d", c.gateway.IP, c.gatewayPort("web", "")), "httpbin.org"
		c.Expect(c.stranger, plain, lab.Through(301, c.gateway))
	})
	c.run("on", func(c *cast) {
		c.apply(c.gatewayHCL("") + policy)
		c.expectGranted(lab.HTTP("httpbin.org"), 301, false, "web")
		c.expectGranted(lab.HTTPS("httpbin.org"), 200, true, "secure")
		c.refused(grant{call: lab.HTTP("httpbin.org"), entry: "web", host: "httpbin.org", istio: "HTTP", number: 80, anyAccount: true})
	})
}

// The gateway and a policy in two workspaces: the gateway cannot be deleted before
// the policy.
func TestASMGatewayInUse(t *testing.T) {
	c := newCast(t)
	gateway := c.Workspace(c.CLI, c.Config(c.gatewayHCL("")))
	gateway.Expect(0, acctest.Apply)
	c.apply(fmt.Sprintf(`
resource "istio_egress_traffic_policy" "a" {
  name              = %q
  by_egress_gateway = { name = %q, namespace = %q }
  egress_rules = [{
    from = [%s]
    to   = [{ name = "web", hosts = ["httpbin.org"], port = { name = "http", number = 80, protocol = "HTTP" } }]
  }]
}
`, policyName, gatewayName, c.egress, c.sleepA()))
	stream := c.Stream(c.granted, lab.HTTP("httpbin.org"), lab.Through(301, c.gateway))
	gateway.Expect(acctest.Failed, acctest.Destroy, policyName)
	stream.Grow(25)
	stream.End()
	c.workspace.Expect(0, acctest.Destroy)
	c.Expect(c.granted, lab.HTTP("httpbin.org"), lab.Through(301, c.granted))
	gateway.Expect(0, acctest.Destroy)
	c.gateways(0)
}
