resource "istio_egress_gateway" "this" {
  name      = var.name
  namespace = var.namespace
  labels    = var.labels
  revision  = var.revision

  autoscaling = {
    min_replicas    = var.replicas.min
    max_replicas    = var.replicas.max
    cpu_utilization = 80
  }
  resources = {
    requests = { cpu = "100m", memory = "128Mi" }
    limits   = { memory = "1Gi" }
  }
  spread_across_nodes   = true
  pod_disruption_budget = { max_unavailable = "1" }
  network_policy        = var.network_policy

  # What is destroyed first is the gateway. While policies use it that is refused,
  # and what is below stays too: a refused destroy opens nothing.
  depends_on = [istio_outbound_traffic_policy.this]
}

# One of the whole mesh, or one for each namespace.
resource "istio_outbound_traffic_policy" "this" {
  for_each = var.closed_namespaces == null ? toset(["mesh"]) : var.closed_namespaces

  mode      = var.mode
  namespace = var.closed_namespaces == null ? null : each.key
  revision  = var.revision
}
