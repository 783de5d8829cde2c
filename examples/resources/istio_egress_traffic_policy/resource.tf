resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
}

resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    name = "checkout"

    # Who may go out: these labels decide who is routed to the gateway, and the
    # gateway lets in this service account only.
    from = [{
      namespace         = "mytest"
      workload_selector = { app = "sleep-a" }
      service_accounts  = ["sleep-a"]
    }]

    # Where to.
    to = [
      {
        name  = "httpbin-http"
        hosts = ["www.httpbin.org", "httpbin.org"]
        port  = { name = "http", number = 80, protocol = "HTTP" }

        # The application speaks plain HTTP; the gateway speaks TLS to the host.
        by_egress_gateway = { port = 80 }
        https_upgrade     = { enabled = true, port = 443 }
      },
      {
        name  = "httpbin-https"
        hosts = ["httpbin.org"]
        port  = { name = "https", number = 443, protocol = "HTTPS" }
      },
      {
        name      = "db"
        hosts     = ["db.partner.example"]
        addresses = ["203.0.113.7"]
        port      = { name = "tcp", number = 5432, protocol = "TCP" }
      },
    ]
  }]
}
