package traffic_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// "Use an egress traffic policy to manage egress traffic", first example: HTTP to
// one service under two names, through the gateway's port 80.
func TestASMPolicyHTTP(t *testing.T) {
	c := newCast(t)
	c.apply(c.gatewayHCL("") + c.policyHCL(c.sleepA(), `{
    name              = "httpbin-service-http"
    hosts             = ["www.httpbin.org", "httpbin.org"]
    port              = { name = "http", number = 80, protocol = "HTTP" }
    by_egress_gateway = { port = 80 }
  }`))
	c.run("granted", func(c *cast) {
		c.expectGranted(lab.HTTP("www.httpbin.org"), 301, false, "httpbin-service-http")
		c.expectGranted(lab.HTTP("httpbin.org"), 301, false, "httpbin-service-http")
	})
	g := grant{call: lab.HTTP("httpbin.org"), entry: "httpbin-service-http", host: "httpbin.org", istio: "HTTP", number: 80}
	c.refused(g)
	c.fenced(g)
}

// The second example: HTTP and HTTPS of one service, with and without the upgrade at
// the gateway, and another workload's HTTPS service.
func TestASMPolicyHTTPSUpgrade(t *testing.T) {
	c := newCast(t)
	configure := func(upgrade bool) {
		c.apply(c.gatewayHCL("") + c.policyHCL(c.sleepA(), fmt.Sprintf(`{
    name              = "httpbin-service-http"
    hosts             = ["www.httpbin.org", "httpbin.org"]
    port              = { name = "http", number = 80, protocol = "HTTP" }
    by_egress_gateway = { port = 80 }
    https_upgrade     = { enabled = %t, port = 443 }
  },
  {
    name              = "httpbin-service-https"
    hosts             = ["www.httpbin.org", "httpbin.org"]
    port              = { name = "https", number = 443, protocol = "HTTPS" }
    by_egress_gateway = { port = 444 }
  }] },
  {
    from = [{ namespace = %q, workload_selector = { app = "sleep-b" }, service_accounts = ["sleep-b"] }]
    to = [{
      name              = "aliyun-service-https"
      hosts             = ["www.aliyun.com"]
      port              = { name = "https", number = 443, protocol = "HTTPS" }
      by_egress_gateway = { port = 445 }
    }`, upgrade, c.shop)))
	}
	configure(true)
	c.run("granted with upgrade", func(c *cast) {
		for _, host := range []string{"www.httpbin.org", "httpbin.org"} {
			c.expectGranted(lab.HTTP(host), 200, true, "httpbin-service-http")
			c.expectGranted(lab.HTTPS(host), 200, true, "httpbin-service-https")
		}
	})
	c.run("each workload its own", func(c *cast) {
		c.Expect(c.unselected, lab.HTTPS("www.aliyun.com"), lab.Through(200, c.gateway).OverTLS())
		c.Expect(c.granted, lab.HTTPS("www.aliyun.com"), closed)
		c.Expect(c.unselected, lab.HTTPS("httpbin.org"), closed)
	})
	c.run("https", func(c *cast) {
		c.refused(grant{call: lab.HTTPS("httpbin.org"), entry: "httpbin-service-https", host: "httpbin.org", istio: "TLS", number: 443})
	})
	c.run("upgraded", func(c *cast) {
		c.refused(grant{call: lab.HTTP("httpbin.org"), entry: "httpbin-service-http", host: "httpbin.org", istio: "HTTP", number: 80})
	})
	configure(false)
	c.run("granted without upgrade", func(c *cast) {
		c.expectGranted(lab.HTTP("httpbin.org"), 301, false, "httpbin-service-http")
		c.expectGranted(lab.HTTPS("httpbin.org"), 200, true, "httpbin-service-https")
	})
	c.fenced(grant{call: lab.HTTPS("httpbin.org")})
	c.run("spoofed SNI", func(c *cast) {
		// To the address of the granted host, under another name.
		spoofed := lab.HTTPS("httpbin.org")
		spoofed.SNI = "other.example"
		c.Expect(c.granted, spoofed, closed)
		// Under the granted name, to another address: the gateway resolves the name itself.
		elsewhere := lab.HTTPS("other.example")
		elsewhere.Host = "httpbin.org"
		answer := c.Expect(c.granted, elsewhere, lab.Through(200, c.gateway).OverTLS())
		if answer.Echo.Server != "203.0.113.10:443" {
			t.Errorf("a stolen name led to %s", answer.Echo.Server)
		}
		c.Expect(c.unselected, elsewhere, closed)
	})
}

// The third example: ports assigned by the provider, HTTP, HTTPS, an upgrade, and TCP
// by address and by name. TCP by name has the address that its documents ask DNS
// capture for.
func TestASMPolicyTCP(t *testing.T) {
	c := newCast(t)
	c.apply(c.gatewayHCL("") + c.policyHCL(c.sleepA(), `{
    name  = "aliyun-com-http"
    hosts = ["aliyun.com"]
    port  = { name = "http", number = 80, protocol = "HTTP" }
  },
  {
    name  = "aliyun-https"
    hosts = ["aliyun.com"]
    port  = { name = "https", number = 443, protocol = "HTTPS" }
  },
  {
    name          = "https-upgrade"
    hosts         = ["taobao.com"]
    port          = { name = "http", number = 80, protocol = "HTTP" }
    https_upgrade = { enabled = true, port = 443 }
  },
  {
    name  = "tcp-svc1"
    hosts = ["1.1.1.1"]
    port  = { name = "tcp", number = 44, protocol = "TCP" }
  },
  {
    name      = "tcp-svc2"
    hosts     = ["test-tcp.com"]
    addresses = ["203.0.113.40"]
    port      = { name = "tcp", number = 444, protocol = "TCP" }
  }`))
	c.run("granted", func(c *cast) {
		c.expectGranted(lab.HTTP("aliyun.com"), 301, false, "aliyun-com-http")
		c.expectGranted(lab.HTTPS("aliyun.com"), 200, true, "aliyun-https")
		c.expectGranted(lab.HTTP("taobao.com"), 200, true, "https-upgrade")
		c.expectGranted(lab.TCP("1.1.1.1:44"), 0, false, "tcp-svc1")
		c.expectGranted(lab.TCP("test-tcp.com:444"), 0, false, "tcp-svc2")
	})
	byAddress := grant{call: lab.TCP("1.1.1.1:44"), entry: "tcp-svc1", host: "1.1.1.1", istio: "TCP", number: 44}
	for _, g := range []grant{
		{call: lab.HTTP("aliyun.com"), entry: "aliyun-com-http", host: "aliyun.com", istio: "HTTP", number: 80},
		{call: lab.HTTPS("aliyun.com"), entry: "aliyun-https", host: "aliyun.com", istio: "TLS", number: 443},
		{call: lab.HTTP("taobao.com"), entry: "https-upgrade", host: "taobao.com", istio: "HTTP", number: 80},
		byAddress,
		{call: lab.TCP("test-tcp.com:444"), entry: "tcp-svc2", host: "test-tcp.com", istio: "TCP", number: 444},
	} {
		c.run(g.entry, func(c *cast) { c.refused(g) })
	}
	c.fenced(byAddress)
}

// The documents' examples as they stand name no service accounts: labels route, and
// the gateway checks the namespace.
func TestASMPolicyWithoutServiceAccounts(t *testing.T) {
	c := newCast(t)
	c.apply(c.gatewayHCL("") + c.policyHCL(c.shopSleepA(), webAndSecure))
	c.run("granted", func(c *cast) {
		c.expectGranted(lab.HTTP("httpbin.org"), 301, false, "web")
		c.Expect(c.impostor, lab.HTTP("httpbin.org"), lab.Through(301, c.gateway))
	})
	c.run("http", func(c *cast) {
		c.refused(grant{
			call: lab.HTTP("httpbin.org"), entry: "web",
			host: "httpbin.org", istio: "HTTP", number: 80, anyAccount: true,
		})
	})
}
