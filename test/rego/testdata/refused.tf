# Each resource breaks rules of examples/policy-as-code/policy.
terraform {
  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

locals {
  gateway = { name = "open", namespace = "istio-egress", mutual_tls = false, authorization = "none" }
  payments = {
    name                 = "payments"
    unselected_workloads = "direct"
    egress_rules = [{
      from = [{ namespace = "mytest", workload_selector = {} }]
      to = [
        {
          name  = "elsewhere"
          hosts = ["api.elsewhere.example", "xpartner.example", "partner.example"]
          port  = { name = "http", number = 8080, protocol = "HTTP" }
        },
        {
          name          = "httpbin"
          hosts         = ["httpbin.org"]
          port          = { name = "http", number = 80, protocol = "HTTP" }
          https_upgrade = { enabled = true, port = 443 }
          tls           = { insecure_skip_verify = true }
        },
      ]
    }]
  }
}

resource "istio_egress_gateway" "open" {
  name          = local.gateway.name
  namespace     = local.gateway.namespace
  mutual_tls    = false
  authorization = "none"
}

resource "istio_egress_traffic_policy" "payments" {
  name                 = local.payments.name
  by_egress_gateway    = istio_egress_gateway.open.reference
  unselected_workloads = local.payments.unselected_workloads
  egress_rules         = local.payments.egress_rules
}

resource "istio_egress_traffic_policy" "direct" {
  name = "direct"
  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = {} }]
    to   = [{ name = "partner", hosts = ["www.partner.example"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

resource "istio_outbound_traffic_policy" "mytest" {
  mode      = "ALLOW_ANY"
  namespace = "mytest"
}

output "manifests" {
  value = join("---\n", values(provider::istio::egress_manifests(local.payments, { by_egress_gateway = local.gateway })))
}
