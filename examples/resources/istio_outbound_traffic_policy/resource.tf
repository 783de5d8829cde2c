# Workloads of this namespace reach declared hosts only.
resource "istio_outbound_traffic_policy" "mytest" {
  mode      = "REGISTRY_ONLY"
  namespace = "mytest"
}
