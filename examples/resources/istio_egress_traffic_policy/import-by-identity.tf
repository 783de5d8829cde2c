import {
  to = istio_egress_traffic_policy.payments
  identity = {
    namespace = "istio-egress"
    name      = "payments"
  }
}
