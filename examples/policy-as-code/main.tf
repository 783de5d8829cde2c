# What the rules in policy/ are tried on: a configuration that keeps to them.
terraform {
  required_version = ">= 1.8"

  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

# The cluster is that of KUBE_HOST and KUBE_TOKEN, or KUBE_CONFIG_PATH. A plan of
# something new needs none.
provider "istio" {}

locals {
  gateway = { name = "egressgateway-a", namespace = "istio-egress" }
  payments = {
    name = "payments"
    egress_rules = [{
      name = "checkout"
      from = [{ namespace = "mytest", workload_selector = { app = "checkout" }, service_accounts = ["checkout"] }]
      to = [
        {
          name  = "partner"
          hosts = ["api.partner.example"]
          port  = { name = "https", number = 443, protocol = "HTTPS" }
        },
        {
          name          = "httpbin"
          hosts         = ["httpbin.org"]
          port          = { name = "http", number = 80, protocol = "HTTP" }
          https_upgrade = { enabled = true, port = 443 }
        },
      ]
    }]
  }
}

resource "istio_egress_gateway" "a" {
  name      = local.gateway.name
  namespace = local.gateway.namespace
}

resource "istio_egress_traffic_policy" "payments" {
  name              = local.payments.name
  by_egress_gateway = istio_egress_gateway.a.reference
  egress_rules      = local.payments.egress_rules
}

resource "istio_outbound_traffic_policy" "mytest" {
  mode       = "REGISTRY_ONLY"
  namespace  = "mytest"
  depends_on = [istio_egress_traffic_policy.payments]
}

# The objects of the policy, for rules about what the cluster gets.
output "manifests" {
  value = join("---\n", values(provider::istio::egress_manifests(local.payments, { by_egress_gateway = local.gateway })))
}
