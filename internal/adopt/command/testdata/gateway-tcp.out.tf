resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   DestinationRule ratings/egressgateway-for-mongo
#   DestinationRule ratings/mongo
#   Gateway ratings/istio-egressgateway
#   ServiceEntry ratings/mongo
#   VirtualService ratings/direct-mongo-through-egress-gateway
resource "istio_egress_traffic_policy" "direct_mongo_through_egress_gateway" {
  name              = "direct-mongo-through-egress-gateway"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "ratings", workload_selector = {} }]
    to = [{
      name  = "to-203-0-113-7-27018"
      hosts = ["203.0.113.7"]
      port  = { name = "tcp", number = 27018, protocol = "TCP" }
    }]
  }]
}
