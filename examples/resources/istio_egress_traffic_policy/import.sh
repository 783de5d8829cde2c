# The id is <namespace of the gateway>/<name of the policy>.
terraform import istio_egress_traffic_policy.payments istio-egress/payments
