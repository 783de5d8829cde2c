resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"

  autoscaling = {
    min_replicas    = 2
    max_replicas    = 5
    cpu_utilization = 80
  }

  resources = {
    requests = { cpu = "100m", memory = "128Mi" }
    limits   = { memory = "1Gi" }
  }

  spread_across_nodes = true

  pod_disruption_budget = {
    min_available = "1"
  }
}

# What a policy's by_egress_gateway takes.
output "gateway" {
  value = istio_egress_gateway.a.reference
}
