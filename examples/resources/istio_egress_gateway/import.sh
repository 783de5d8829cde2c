# The id is <namespace>/<name>.
terraform import istio_egress_gateway.a istio-egress/egressgateway-a
