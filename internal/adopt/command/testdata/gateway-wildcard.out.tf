resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   DestinationRule default/egressgateway-for-wikipedia
#   Gateway default/istio-egressgateway
#   ServiceEntry default/www-wikipedia
#   VirtualService default/direct-wikipedia-through-egress-gateway
resource "istio_egress_traffic_policy" "direct_wikipedia_through_egress_gateway" {
  name              = "direct-wikipedia-through-egress-gateway"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "default", workload_selector = {} }]
    to = [{
      name       = "wikipedia-org-443"
      hosts      = ["*.wikipedia.org"]
      port       = { name = "tls", number = 443, protocol = "TLS" }
      resolve_to = "www.wikipedia.org"
    }]
  }]
}
