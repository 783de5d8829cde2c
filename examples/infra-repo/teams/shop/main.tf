# The workspace of team shop: who of its workloads may go where.
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
  owner_id = "shop"
}

# With another backend, or in HCP Terraform, only this block is different.
data "terraform_remote_state" "platform" {
  backend = "local"
  config = {
    path = "${path.module}/../../platform/terraform.tfstate"
  }
}

module "egress" {
  source = "../../../modules/team-egress"

  team    = "shop"
  gateway = data.terraform_remote_state.platform.outputs.gateways["partners"]

  egress = {
    checkout = {
      namespace        = "shop"
      labels           = { app = "checkout" }
      service_accounts = ["checkout"]
      to               = ["https://api.partner.example", "tcp://db.partner.example:5432"]
      addresses        = { "db.partner.example" = ["203.0.113.7"] }
    }
  }
}

output "grants" {
  description = "Who may reach what."
  value       = module.egress.grants
}
