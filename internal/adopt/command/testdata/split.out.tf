# Takes the place of:
#   Service gateways/egress-proxy
#   Deployment gateways/egress-proxy
resource "istio_egress_gateway" "egress_proxy" {
  name          = "egress-proxy"
  namespace     = "istio-egress"
  replicas      = 3
  resources     = { requests = { cpu = "200m", memory = "256Mi" } }
  node_selector = { pool = "egress" }
  tolerations   = [{ key = "egress", operator = "Exists", effect = "NoSchedule" }]
}

# Takes the place of:
#   AuthorizationPolicy gateways/egress-proxy
#   DestinationRule gateways/egress-proxy
#   Gateway egress/out
#   ServiceEntry egress/api
#   VirtualService billing/partner
#   VirtualService egress/partner-out
resource "istio_egress_traffic_policy" "partner" {
  name              = "partner"
  by_egress_gateway = istio_egress_gateway.egress_proxy.reference
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = {} }]
    to = [{
      name    = "api-partner-example-80"
      hosts   = ["api.partner.example"]
      port    = { name = "http", number = 80, protocol = "HTTP" }
      timeout = "10s"
      retries = { attempts = 3, per_try_timeout = "2s", retry_on = "5xx" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry egress/api
resource "istio_egress_traffic_policy" "api" {
  name = "api"
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = {} }]
    to = [
      {
        name  = "www-partner-example-80"
        hosts = ["www.partner.example"]
        port  = { name = "http", number = 80, protocol = "HTTP" }
      },
      {
        name  = "www-partner-example-443"
        hosts = ["www.partner.example"]
        port  = { name = "tls", number = 443, protocol = "TLS" }
      },
    ]
  }]
}

# Takes the place of:
#   AuthorizationPolicy gateways/egress-proxy
#   DestinationRule gateways/egress-proxy
#   Gateway egress/out
#   ServiceEntry egress/api
#   VirtualService egress/partner-out
#   VirtualService shop/partner
resource "istio_egress_traffic_policy" "partner_shop" {
  name                 = "partner-shop"
  by_egress_gateway    = istio_egress_gateway.egress_proxy.reference
  unselected_workloads = "direct"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = { app = "cart" }, service_accounts = ["cart", "checkout"] }]
    to = [
      {
        name    = "api-partner-example-80"
        hosts   = ["api.partner.example"]
        port    = { name = "http", number = 80, protocol = "HTTP" }
        timeout = "10s"
      },
      {
        name  = "api-partner-example-443"
        hosts = ["api.partner.example"]
        port  = { name = "tls", number = 443, protocol = "TLS" }
      },
      {
        name       = "www-partner-example-80"
        hosts      = ["www.partner.example"]
        port       = { name = "http", number = 80, protocol = "HTTP" }
        timeout    = "10s"
        resolve_to = "api.partner.example"
      },
      {
        name       = "www-partner-example-443"
        hosts      = ["www.partner.example"]
        port       = { name = "tls", number = 443, protocol = "TLS" }
        resolve_to = "api.partner.example"
      },
    ]
  }]
}
