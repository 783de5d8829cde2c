resource "istio_outbound_traffic_policy" "mesh" {
  mode     = "REGISTRY_ONLY"
  revision = "state"
}

resource "istio_outbound_traffic_policy" "namespace" {
  mode      = "REGISTRY_ONLY"
  namespace = "state-outbound"
}

resource "istio_outbound_traffic_policy" "workload" {
  mode              = "ALLOW_ANY"
  namespace         = "state-outbound"
  name              = "trusted"
  workload_selector = { app = "trusted" }
  timeouts          = { create = "2m" }
}
