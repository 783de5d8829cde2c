# kubectl get istiomeshgateway egress-demo -n smm-demo -o yaml > gateway.yaml
locals {
  smm = provider::istio::smm_mesh_gateway(file("${path.module}/gateway.yaml"))
}

resource "istio_egress_gateway" "smm" {
  name        = local.smm.name
  namespace   = local.smm.namespace
  revision    = local.smm.revision
  labels      = local.smm.labels
  annotations = local.smm.annotations

  ports   = local.smm.ports
  service = local.smm.service

  replicas              = local.smm.replicas
  autoscaling           = local.smm.autoscaling
  rolling_update        = local.smm.rolling_update
  resources             = local.smm.resources
  pod_disruption_budget = local.smm.pod_disruption_budget

  node_selector               = local.smm.node_selector
  tolerations                 = local.smm.tolerations
  affinity                    = local.smm.affinity
  topology_spread_constraints = local.smm.topology_spread_constraints
  priority_class_name         = local.smm.priority_class_name
  spread_across_nodes         = local.smm.spread_across_nodes

  pod           = local.smm.pod
  run_as_root   = local.smm.run_as_root
  authorization = local.smm.authorization
}
