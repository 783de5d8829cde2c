import {
  to = istio_egress_gateway.a
  id = "istio-egress/egressgateway-a"
}
