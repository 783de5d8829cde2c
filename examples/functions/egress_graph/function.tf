resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = { name = "egressgateway-a", namespace = "istio-egress" }
  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a"] }]
    to   = [{ name = "httpbin", hosts = ["httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

# What a plan is about to give, known before anything is applied.
output "payments" {
  value = provider::istio::egress_graph(istio_egress_traffic_policy.payments.grants, "mermaid")
}

# All that a namespace has, by policies of whatever workspace: `terraform output -raw mytest | dot -Tsvg > mytest.svg`.
data "istio_egress_grants" "mytest" {
  namespaces = ["mytest"]
  depends_on = [istio_egress_traffic_policy.payments]
}

output "mytest" {
  value = provider::istio::egress_graph(data.istio_egress_grants.mytest.grants, "dot")
}
