# HCP Terraform sets KUBE_TOKEN in each run of a workspace with the environment
# variables
#
#   TFC_KUBERNETES_PROVIDER_AUTH              = true
#   TFC_KUBERNETES_WORKLOAD_IDENTITY_AUDIENCE = kubernetes
terraform {
  required_version = ">= 1.8"

  cloud {
    organization = "acme"
    workspaces {
      name = "orders-egress"
    }
  }

  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

variable "cluster_host" {
  description = "Address of the API server, such as https://10.0.0.1:6443."
  type        = string
}

variable "cluster_ca" {
  description = "Certificate of the API server's authority: PEM, in base64, as in a kubeconfig."
  type        = string
}

provider "istio" {
  host                   = var.cluster_host
  cluster_ca_certificate = base64decode(var.cluster_ca)

  # A run that was cancelled is taken up again by the next one.
  owner_id = "orders-egress"
}

resource "istio_egress_gateway" "orders" {
  name      = "orders"
  namespace = "orders-egress"
  replicas  = 1
}

resource "istio_egress_traffic_policy" "partner" {
  name              = "partner"
  by_egress_gateway = istio_egress_gateway.orders.reference

  egress_rules = [{
    from = [{ namespace = "orders", service_accounts = ["orders"] }]
    to   = [{ name = "api", hosts = ["api.partner.example"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

output "grants" {
  value = istio_egress_traffic_policy.partner.grants
}
