resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
}

resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a"] }]
    to   = [{ name = "httpbin", hosts = ["httpbin.org"], port = { name = "tls", number = 443, protocol = "TLS" } }]
  }]
}
