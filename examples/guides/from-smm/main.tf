locals {
  smm = provider::istio::smm_mesh_gateway(file("${path.module}/gateway.yaml"))
}

# Beside the operator's gateway, so under another name. Its pods carry the labels
# by which your Gateway objects select pods, and so serve the same routes.
resource "istio_egress_gateway" "smm" {
  name          = "${local.smm.name}-tf"
  namespace     = local.smm.namespace
  revision      = local.smm.revision
  ports         = local.smm.ports
  service       = local.smm.service
  autoscaling   = local.smm.autoscaling
  pod           = local.smm.pod
  authorization = local.smm.authorization
}

# The host that your VirtualServices lead to from now on.
output "service_host" {
  value = istio_egress_gateway.smm.service_host
}
