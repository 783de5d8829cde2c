# Wherever a mode is set: in the mesh config, for namespaces, for workloads.
list "istio_outbound_traffic_policy" "all" {
  provider         = istio
  include_resource = true
  limit            = 1000
}

# The namespaces that have a mode of their own.
list "istio_outbound_traffic_policy" "namespaces" {
  provider = istio
  config {
    scope = "namespace"
  }
}
