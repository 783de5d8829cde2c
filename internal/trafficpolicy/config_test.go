package trafficpolicy_test

import (
	"fmt"
	"strings"
)

// address is the resource in every configuration of these tests.
const address = "istio_egress_traffic_policy.test"

// scene has the names of a test.
type scene struct{ egress, shop, other string }

// policy returns a policy named "payments" on gateway "gw", with the given
// attributes beside its name and gateway.
func (s scene) policy(attributes ...string) string {
	return s.named("test", "payments", attributes...)
}

func (s scene) named(label, name string, attributes ...string) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" %q {
  name              = %q
  by_egress_gateway = { name = "gw", namespace = %q }
%s
}
`, label, name, s.egress, strings.Join(attributes, "\n"))
}

// minimal is one HTTPS host and one source: the fewest attributes there are.
func (s scene) minimal() string {
	return s.policy(fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "web", hosts = ["httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]`, s.shop))
}

// full sets every attribute of the schema somewhere. Its entry "web" and host
// "httpbin.org" are those of minimal.
func (s scene) full() string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" "test" {
  name = "payments"
  by_egress_gateway = {
    name = "gw", namespace = %[1]q, selector = { istio = "gw" },
    mutual_tls = true, authorization = "allow_listed", revision = "default", service_account = "gw"
  }
  revision             = "default"
  unselected_workloads = "direct"
  egress_rules = [
    {
      name = "tcp"
      from = [{ namespace = %[3]q, workload_selector = {} }]
      to = [
        { name = "db", hosts = ["db.partner.example"], addresses = ["203.0.113.7"], port = { name = "tcp", number = 5432, protocol = "TCP" } },
        { name = "ip", hosts = ["203.0.113.9"], port = { name = "tcp", number = 5433, protocol = "TCP" } },
        { name = "wild", hosts = ["*.wikipedia.example"], resolve_to = "www.wikipedia.example", port = { name = "tls", number = 443, protocol = "TLS" } },
      ]
    },
    {
      name = "web"
      from = [{ namespace = %[2]q, workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a", "sleep-b"] }]
      to = [
        {
          name = "plain", hosts = ["www.example.com", "example.com"], port = { name = "http", number = 80, protocol = "HTTP" }
          by_egress_gateway = { port = 80 }
          https_upgrade     = { enabled = true, port = 443 }
          tls = { mode = "MUTUAL", credential_name = "client", sni = "example.com", subject_alt_names = ["example.com"], insecure_skip_verify = false }
          timeout = "10s"
          retries = { attempts = 2, per_try_timeout = "2s", retry_on = "gateway-error,connect-failure" }
        },
        { name = "shared", hosts = ["a.example.org", "b.example.org"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 2444 } },
        { name = "web", hosts = ["added.example.org", "httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } },
      ]
    },
  ]
  timeouts = { create = "2m", read = "1m", update = "2m", delete = "2m" }
}
`, s.egress, s.shop, s.other)
}
