# Every gateway that this provider has made, with all its attributes.
list "istio_egress_gateway" "all" {
  provider         = istio
  include_resource = true
  limit            = 1000
}

# Those of one namespace that are not on the new revision yet.
list "istio_egress_gateway" "old" {
  provider = istio
  config {
    namespace      = "istio-egress"
    label_selector = "istio.io/rev notin (canary)"
  }
}
