# Takes the place of:
#   ServiceEntry mesh-out/nginx
resource "istio_egress_traffic_policy" "nginx" {
  name = "nginx"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "nginx-example-com-443"
      hosts = ["nginx.example.com"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}
