# kubectl get asmegresstrafficpolicies -n istio-egress -o yaml > asm.yaml
locals {
  asm = {
    for item in yamldecode(file("${path.module}/asm.yaml")).items :
    item.metadata.name => provider::istio::asm_egress_traffic_policy(yamlencode(item))
  }
}

resource "istio_egress_traffic_policy" "asm" {
  for_each = local.asm

  name                 = each.value.name
  by_egress_gateway    = each.value.by_egress_gateway
  unselected_workloads = each.value.unselected_workloads
  egress_rules         = each.value.egress_rules
}

# One custom resource of a file: provider::istio::asm_egress_traffic_policy(file("policy.yaml"))
