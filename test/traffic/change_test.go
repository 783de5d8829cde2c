package traffic_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// Everything that can happen to a policy while calls flow: no allowed call of an
// unchanged grant fails, and no forbidden one ever gets anywhere. Alone, as it stops
// istiod and the API server.
func TestChangeUnderTraffic(t *testing.T) {
	c := castOf(t, lab.NewAlone(t))
	// What is declared nowhere is forbidden too, so that there is no moment between
	// "not yet" and "denied".
	c.registryOnly(c.shop, c.elsewhere)
	forbidden := []*lab.Stream{
		c.Stream(c.unselected, lab.HTTP("httpbin.org"), lab.Nowhere()),
		c.Stream(c.stranger, lab.HTTP("httpbin.org"), lab.Nowhere()),
		c.Stream(c.impostor, lab.HTTPS("httpbin.org"), lab.Nowhere()),
		c.Stream(c.unselected, lab.TCP("1.1.1.1:44"), lab.Nowhere()),
	}
	steady := []string{`{
    name  = "secure"
    hosts = ["httpbin.org"]
    port  = { name = "https", number = 443, protocol = "HTTPS" }
  }`, `{
    name  = "lines"
    hosts = ["1.1.1.1"]
    port  = { name = "tcp", number = 44, protocol = "TCP" }
  }`}
	web := func(hosts string, upgrade bool) string {
		return fmt.Sprintf(`{
    name          = "web"
    hosts         = [%s]
    port          = { name = "http", number = 80, protocol = "HTTP" }
    https_upgrade = { enabled = %t, port = 443 }
  }`, hosts, upgrade)
	}
	configure := func(gateway, sources, entry string) {
		c.update(c.gatewayHCL(gateway) + c.policyHCL(sources, entry+","+steady[0]+","+steady[1]))
	}
	configure("replicas = 2", c.sleepA(), web(`"httpbin.org"`, false))
	c.gateway = c.gateways(2)[0]
	c.stealWeb()
	forbidden = append(forbidden, c.Stream(c.insider, lab.HTTP("httpbin.org"), lab.Nowhere()))
	allowed := []*lab.Stream{
		c.Stream(c.granted, lab.HTTP("httpbin.org"), lab.Answered(301)),
		c.Stream(c.granted, lab.HTTPS("httpbin.org"), lab.Answered(200).OverTLS()),
		c.Stream(c.granted, lab.TCP("1.1.1.1:44"), lab.Answered(0)),
	}
	flow := func() {
		for _, stream := range append(allowed, forbidden...) {
			stream.Grow(10)
		}
	}
	ports := []int{c.gatewayPort("web", ""), c.gatewayPort("secure", "httpbin.org"), c.gatewayPort("lines", "1.1.1.1")}
	samePorts := func() {
		c.t.Helper()
		now := []int{c.gatewayPort("web", ""), c.gatewayPort("secure", "httpbin.org"), c.gatewayPort("lines", "1.1.1.1")}
		if fmt.Sprint(now) != fmt.Sprint(ports) {
			c.t.Errorf("ports were %v and are %v", ports, now)
		}
	}

	c.run("a host more", func(c *cast) {
		configure("replicas = 2", c.sleepA(), web(`"httpbin.org", "aliyun.com"`, false))
		c.Settle(c.granted, lab.HTTP("aliyun.com"), lab.Answered(301))
		flow()
		samePorts()
	})
	c.run("a source more", func(c *cast) {
		more := fmt.Sprintf(`, { namespace = %q, workload_selector = { app = "sleep-c" }, service_accounts = ["sleep-c"] }`, c.shop)
		configure("replicas = 2", c.sleepA()+more, web(`"httpbin.org", "aliyun.com"`, false))
		flow()
		samePorts()
	})
	c.run("drift repaired", func(c *cast) {
		c.drift(flow)
		samePorts()
	})
	c.run("rollout of the gateway", func(c *cast) {
		configure("replicas = 2\nrolling_update = { max_unavailable = \"0\", max_surge = \"1\" }\npod = { annotations = { rolled = \"once\" } }",
			c.sleepA(), web(`"httpbin.org", "aliyun.com"`, false))
		c.gateway = c.gateways(2)[0]
		c.stealWeb()
		flow()
	})
	c.run("restart of istiod", func(c *cast) {
		cp := c.ControlPlane()
		if err := cp.StopIstiod(); err != nil {
			c.t.Fatal(err)
		}
		flow()
		if err := cp.StartIstiod(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		flow()
	})
	c.run("outage of the API server", func(c *cast) {
		cp := c.ControlPlane()
		if err := cp.StopAPIServer(); err != nil {
			c.t.Fatal(err)
		}
		flow()
		if err := cp.StartAPIServer(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		flow()
	})
	c.run("upgrade to HTTPS", func(c *cast) {
		allowed[0].End() // its answer changes
		allowed = allowed[1:]
		configure("replicas = 2\nrolling_update = { max_unavailable = \"0\", max_surge = \"1\" }\npod = { annotations = { rolled = \"once\" } }",
			c.sleepA(), web(`"httpbin.org", "aliyun.com"`, true))
		c.Settle(c.granted, lab.HTTP("httpbin.org"), lab.Answered(200).OverTLS())
		flow()
		samePorts()
	})
	allowed = append(allowed, c.Stream(c.granted, lab.HTTP("httpbin.org"), lab.Answered(200).OverTLS()))
	c.run("death of a gateway pod", func(c *cast) {
		c.death(allowed, flow)
	})
	c.run("destroy", func(c *cast) {
		c.workspace.Expect(0, acctest.Destroy)
		c.Expect(c.granted, lab.HTTP("httpbin.org"), lab.Nowhere())
	})
	for _, stream := range forbidden {
		stream.Grow(10)
		stream.End()
	}
}
