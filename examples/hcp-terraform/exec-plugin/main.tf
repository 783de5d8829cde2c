# HCP Terraform sets TFC_WORKLOAD_IDENTITY_TOKEN in each run of a workspace with the
# environment variable
#
#   TFC_WORKLOAD_IDENTITY_AUDIENCE = kubernetes
#
# and the cluster is that of the environment variables KUBE_HOST and
# KUBE_CLUSTER_CA_CERT_DATA.
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

provider "istio" {
  owner_id = "orders-egress"

  exec {
    api_version = "client.authentication.k8s.io/v1"
    command     = "sh"
    args        = ["${path.module}/credential.sh"]
  }
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
