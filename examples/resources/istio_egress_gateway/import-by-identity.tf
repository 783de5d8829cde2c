import {
  to = istio_egress_gateway.a
  identity = {
    namespace = "istio-egress"
    name      = "egressgateway-a"
  }
}
