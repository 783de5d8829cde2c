# A gateway that Helm, istioctl or another workspace has installed.
data "istio_egress_gateway" "shared" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

resource "istio_egress_traffic_policy" "reports" {
  name              = "reports"
  by_egress_gateway = data.istio_egress_gateway.shared.reference

  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = {} }]
    to = [{
      name  = "httpbin"
      hosts = ["httpbin.org"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}
