# Applied once by an administrator of the cluster:
#
#   terraform init && terraform apply
#   terraform output -raw rbac | kubectl apply -f -
#
# Each workspace is a ServiceAccount of its own, with a token by
# `kubectl -n shop create token terraform`, or the identity of a run in HCP Terraform.
terraform {
  required_version = ">= 1.8"
}

locals {
  gateway_namespace = "egress-gateways"
  teams             = ["billing", "shop"]
}

module "platform" {
  source = "../../modules/egress-rbac"

  name               = "platform"
  writers            = [{ kind = "ServiceAccount", name = "terraform", namespace = local.gateway_namespace }]
  gateway_namespaces = [local.gateway_namespace]
  # Their outbound traffic policies are the platform's.
  source_namespaces = local.teams
}

# A team writes in its own namespace, and the gateway's side of its policies.
module "team" {
  source   = "../../modules/egress-rbac"
  for_each = toset(local.teams)

  name                      = "team-${each.key}"
  writers                   = [{ kind = "ServiceAccount", name = "terraform", namespace = each.key }]
  gateway_namespaces        = []
  shared_gateway_namespaces = [local.gateway_namespace]
  source_namespaces         = [each.key]
}

output "rbac" {
  description = "What the administrator applies."
  value       = join("---\n", concat([module.platform.yaml], values(module.team)[*].yaml))
}
