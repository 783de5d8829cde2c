resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   DestinationRule default/egressgateway-for-cnn
#   DestinationRule default/originate-tls-for-edition-cnn-com
#   Gateway default/istio-egressgateway
#   ServiceEntry default/cnn
#   VirtualService default/direct-cnn-through-egress-gateway
resource "istio_egress_traffic_policy" "direct_cnn_through_egress_gateway" {
  name              = "direct-cnn-through-egress-gateway"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "default", workload_selector = {} }]
    to = [{
      name          = "edition-cnn-com-80"
      hosts         = ["edition.cnn.com"]
      port          = { name = "http", number = 80, protocol = "HTTP" }
      https_upgrade = { enabled = true, port = 443 }
    }]
  }]
}
