import {
  to = istio_egress_traffic_policy.payments
  id = "istio-egress/payments"
}
