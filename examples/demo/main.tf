# The configuration of `make demo`. It connects to the cluster that the
# environment names: KUBE_CONFIG_PATH, or KUBE_HOST and KUBE_TOKEN.
terraform {
  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

provider "istio" {}

resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
  replicas  = 1
}

resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    name = "checkout"

    from = [{
      namespace         = "mytest"
      workload_selector = { app = "sleep-a" }
      service_accounts  = ["sleep-a"]
    }]

    to = [
      {
        name              = "httpbin-http"
        hosts             = ["www.httpbin.org", "httpbin.org"]
        port              = { name = "http", number = 80, protocol = "HTTP" }
        by_egress_gateway = { port = 80 }
        https_upgrade     = { enabled = true, port = 443 }
      },
      {
        name  = "httpbin-https"
        hosts = ["httpbin.org"]
        port  = { name = "https", number = 443, protocol = "HTTPS" }
      },
      {
        name      = "db"
        hosts     = ["db.partner.example"]
        addresses = ["203.0.113.7"]
        port      = { name = "tcp", number = 5432, protocol = "TCP" }
      },
    ]
  }]
}

# What no policy declares is closed, for the whole mesh, once the policy is
# there: in the other order what it declares would be cut for a moment.
resource "istio_outbound_traffic_policy" "mesh" {
  mode       = "REGISTRY_ONLY"
  depends_on = [istio_egress_traffic_policy.payments]
}

output "grants" {
  value = istio_egress_traffic_policy.payments.grants
}

output "gateway_ports" {
  value = istio_egress_traffic_policy.payments.gateway_ports
}
