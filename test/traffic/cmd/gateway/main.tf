# N policies with one TCP grant each, spread over namespaces.
terraform {
  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

variable "policies" { type = number }
variable "namespaces" { type = number }

provider "istio" {}

resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
  replicas  = 1
}

resource "istio_egress_traffic_policy" "p" {
  count             = var.policies
  name              = format("p%04d", count.index)
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    from = [{
      namespace         = format("team-%03d", floor(count.index * var.namespaces / var.policies))
      workload_selector = { app = "app" }
      service_accounts  = ["app"]
    }]
    to = [{
      name      = "db"
      hosts     = [format("db-%04d.partner.example", count.index)]
      addresses = [cidrhost("198.18.0.0/16", count.index + 1)]
      port      = { name = "tcp", number = 5432, protocol = "TCP" }
    }]
  }]
}

output "ports" {
  value = flatten([for p in istio_egress_traffic_policy.p : values(p.gateway_ports)])
}
