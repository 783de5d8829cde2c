resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   Gateway mytest/istio-egressgateway
#   ServiceEntry mytest/httpbin
#   VirtualService mytest/httpbin
resource "istio_egress_traffic_policy" "httpbin" {
  name              = "httpbin"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = {} }]
    to   = [{ name = "httpbin-org-443", hosts = ["httpbin.org"], port = { name = "tls", number = 443, protocol = "TLS" } }]
  }]
}
