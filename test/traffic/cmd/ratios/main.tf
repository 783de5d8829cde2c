# What is measured, but for the hand-written layout (classic.yaml).
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

resource "istio_egress_traffic_policy" "granted" {
  name              = "granted"
  by_egress_gateway = istio_egress_gateway.a.reference

  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = { app = "sleep" }, service_accounts = ["sleep"] }]
    to = [
      { name = "http", hosts = ["httpbin.org"], port = { name = "http", number = 80, protocol = "HTTP" } },
      { name = "https", hosts = ["httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } },
    ]
  }]
}

resource "istio_egress_traffic_policy" "direct" {
  name = "direct"

  egress_rules = [{
    from = [{ namespace = "mytest", workload_selector = {} }]
    to = [
      { name = "http", hosts = ["other.example"], port = { name = "http", number = 80, protocol = "HTTP" } },
      { name = "https", hosts = ["other.example"], port = { name = "https", number = 443, protocol = "HTTPS" } },
    ]
  }]
}
