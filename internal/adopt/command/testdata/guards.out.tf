# Takes the place of:
#   ServiceEntry elsewhere/twice
resource "istio_egress_traffic_policy" "twice" {
  name = "twice"
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = {} }]
    to = [{
      name  = "twice-example-com-8443"
      hosts = ["twice.example.com"]
      port  = { name = "alt", number = 8443, protocol = "TLS" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry shop/ports
resource "istio_egress_traffic_policy" "ports" {
  name = "ports"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [
      {
        name  = "ports-example-com-80"
        hosts = ["ports.example.com"]
        port  = { name = "http", number = 80, protocol = "HTTP" }
      },
      {
        name  = "ports-example-com-81"
        hosts = ["ports.example.com"]
        port  = { name = "alt", number = 81, protocol = "HTTP" }
      },
      {
        name  = "ports-example-com-443"
        hosts = ["ports.example.com"]
        port  = { name = "https", number = 443, protocol = "HTTPS" }
      },
    ]
  }]
}

# Takes the place of:
#   ServiceEntry shop/twice
resource "istio_egress_traffic_policy" "twice_shop" {
  name = "twice-shop"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "twice-example-com-443"
      hosts = ["twice.example.com"]
      port  = { name = "tls", number = 443, protocol = "TLS" }
    }]
  }]
}
