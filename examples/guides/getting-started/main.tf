resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
}

resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    name = "checkout"
    from = [{ namespace = "mytest", workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a"] }]
    to   = [{ name = "httpbin", hosts = ["httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

# Hosts that nobody declared are refused, once the policy is there: in the other
# order what it declares would be cut for a moment.
resource "istio_outbound_traffic_policy" "mytest" {
  mode       = "REGISTRY_ONLY"
  namespace  = "mytest"
  depends_on = [istio_egress_traffic_policy.payments]
}

output "grants" {
  value = istio_egress_traffic_policy.payments.grants
}
