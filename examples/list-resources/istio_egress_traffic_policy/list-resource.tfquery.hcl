# Every policy that this provider has made, with all its attributes.
list "istio_egress_traffic_policy" "all" {
  provider         = istio
  include_resource = true
  limit            = 1000
}

# The policies that go through one gateway.
list "istio_egress_traffic_policy" "gateway" {
  provider = istio
  config {
    namespace      = "istio-egress"
    egress_gateway = "egressgateway-a"
  }
}

# The policies that let workloads of one namespace out.
list "istio_egress_traffic_policy" "mytest" {
  provider = istio
  config {
    source_namespace = "mytest"
  }
}
