# Applied once by an administrator of the cluster:
#
#   terraform init && terraform apply
#   terraform output -raw rbac | kubectl apply -f -
#
# The cluster trusts the tokens of HCP Terraform: issuer https://app.terraform.io,
# audience kubernetes, user name = issuer, `#`, subject.
terraform {
  required_version = ">= 1.8"
}

locals {
  run = "https://app.terraform.io#organization:acme:project:orders:workspace:orders-egress:run_phase"
}

module "rbac" {
  source = "../../modules/egress-rbac"

  name = "orders-egress"
  # A plan reads. Only a run that was confirmed writes.
  readers            = [{ kind = "User", name = "${local.run}:plan" }]
  writers            = [{ kind = "User", name = "${local.run}:apply" }]
  gateway_namespaces = ["orders-egress"]
  source_namespaces  = ["orders"]
}

output "rbac" {
  description = "What the administrator applies."
  value       = module.rbac.yaml
}
