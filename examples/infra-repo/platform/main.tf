# The platform team's workspace: gateways, and namespaces that are closed.
terraform {
  required_version = ">= 1.8"

  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

# The cluster is that of KUBE_HOST and KUBE_TOKEN, or KUBE_CONFIG_PATH.
provider "istio" {
  owner_id = "platform"
}

module "egress" {
  source = "../../modules/egress-baseline"

  name              = "internet"
  namespace         = "egress-gateways"
  closed_namespaces = ["billing", "shop"]
  replicas          = { min = 1, max = 3 }
}

module "partners" {
  source = "../../modules/multi-gateway"

  namespace = "egress-gateways"
  gateways = {
    partners = { min_replicas = 1, max_replicas = 2, labels = { purpose = "partners" } }
  }

  # As in egress-baseline: what is in use is destroyed first, so a refused destroy
  # opens nothing.
  depends_on = [module.egress]
}

output "gateways" {
  description = "What the teams' policies take as by_egress_gateway."
  value       = merge({ internet = module.egress.gateway }, module.partners.gateways)
}
