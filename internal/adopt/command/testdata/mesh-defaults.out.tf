# Takes the place of:
#   ServiceEntry shop/api
resource "istio_egress_traffic_policy" "api" {
  name = "api"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "api-example-com-443"
      hosts = ["api.example.com"]
      port  = { name = "tls", number = 443, protocol = "TLS" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry shop/db
resource "istio_egress_traffic_policy" "db" {
  name = "db"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name      = "db-example-com-27017"
      hosts     = ["db.example.com"]
      addresses = ["203.0.113.0/28"]
      port      = { name = "mongo", number = 27017, protocol = "TCP" }
    }]
  }]
}

# Says what is said in:
#   ConfigMap istio-system/istio-1-31
resource "istio_outbound_traffic_policy" "mesh_1_31" {
  mode     = "REGISTRY_ONLY"
  revision = "1-31"
}
