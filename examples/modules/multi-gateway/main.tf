resource "istio_egress_gateway" "this" {
  for_each = var.gateways

  name      = each.key
  namespace = var.namespace
  labels    = each.value.labels
  revision  = var.revision

  autoscaling = {
    min_replicas    = each.value.min_replicas
    max_replicas    = each.value.max_replicas
    cpu_utilization = 80
  }
  resources = {
    requests = { cpu = "100m", memory = "128Mi" }
    limits   = { memory = "1Gi" }
  }
  node_selector         = each.value.node_selector
  tolerations           = each.value.tolerations
  spread_across_nodes   = true
  pod_disruption_budget = { max_unavailable = "1" }
  network_policy        = true
}
