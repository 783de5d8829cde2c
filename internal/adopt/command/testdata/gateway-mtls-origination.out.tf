resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   DestinationRule istio-system/egressgateway-for-nginx
#   DestinationRule istio-system/originate-mtls-for-nginx
#   Gateway mesh-out/istio-egressgateway
#   ServiceEntry mesh-out/nginx
#   VirtualService mesh-out/direct-nginx-through-egress-gateway
resource "istio_egress_traffic_policy" "direct_nginx_through_egress_gateway" {
  name              = "direct-nginx-through-egress-gateway"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [
      {
        name          = "nginx-example-com-80"
        hosts         = ["nginx.example.com"]
        port          = { name = "http", number = 80, protocol = "HTTP" }
        https_upgrade = { enabled = true, port = 443 }
        tls           = { mode = "MUTUAL", credential_name = "client-credential" }
      },
      {
        name  = "nginx-example-com-443"
        hosts = ["nginx.example.com"]
        port  = { name = "https", number = 443, protocol = "HTTPS" }
      },
    ]
  }]
}
