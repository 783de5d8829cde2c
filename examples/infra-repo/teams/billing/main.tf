# The workspace of team billing: who of its workloads may go where.
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
  owner_id = "billing"
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

  team    = "billing"
  gateway = data.terraform_remote_state.platform.outputs.gateways["internet"]

  egress = {
    invoices = {
      namespace        = "billing"
      service_accounts = ["invoices"]
      to               = ["http://httpbin.org"]
      upgrade          = true
    }
  }
}

output "grants" {
  description = "Who may reach what."
  value       = module.egress.grants
}
