resource "istio_egress_traffic_policy" "least" {
  name              = "least"
  by_egress_gateway = { name = "egressgateway", namespace = "state-policies" }
  egress_rules = [{
    from = [{ namespace = "state-shop", workload_selector = {} }]
    to   = [{ name = "web", hosts = ["www.example.org"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

resource "istio_egress_traffic_policy" "most" {
  name = "most"
  by_egress_gateway = {
    name = "egressgateway", namespace = "state-policies", selector = { istio = "egressgateway" },
    mutual_tls = true, authorization = "allow_listed", revision = "default", service_account = "egressgateway"
  }
  revision             = "default"
  unselected_workloads = "direct"
  egress_rules = [
    {
      name = "tcp"
      from = [{ namespace = "state-shop", workload_selector = {} }]
      to = [
        { name = "db", hosts = ["db.partner.example"], addresses = ["203.0.113.7"], port = { name = "tcp", number = 5432, protocol = "TCP" } },
        { name = "ip", hosts = ["203.0.113.9"], port = { name = "tcp", number = 5433, protocol = "TCP" } },
        { name = "wild", hosts = ["*.wikipedia.example"], resolve_to = "www.wikipedia.example", port = { name = "tls", number = 443, protocol = "TLS" } },
      ]
    },
    {
      name = "web"
      from = [{ namespace = "state-shop", workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a", "sleep-b"] }]
      to = [
        {
          name              = "plain", hosts = ["www.example.com", "example.com"], port = { name = "http", number = 80, protocol = "HTTP" }
          by_egress_gateway = { port = 80 }
          https_upgrade     = { enabled = true, port = 443 }
          tls               = { mode = "SIMPLE", sni = "example.com", subject_alt_names = ["example.com"] }
          timeout           = "10s"
          retries           = { attempts = 2, per_try_timeout = "2s", retry_on = "gateway-error,connect-failure" }
        },
        { name = "shared", hosts = ["a.example.org", "b.example.org"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 2444 } },
      ]
    },
  ]
  timeouts = { create = "2m", read = "1m", update = "2m", delete = "2m" }
}

resource "istio_egress_traffic_policy" "direct" {
  name = "direct"
  egress_rules = [{
    from = [{ namespace = "state-shop", workload_selector = {} }]
    to   = [{ name = "api", hosts = ["api.example.net"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
