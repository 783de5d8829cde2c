resource "istio_egress_gateway" "istio_egressgateway" {
  name      = "istio-egressgateway"
  namespace = "istio-egress"
}

# Takes the place of:
#   Gateway shop/labels
#   ServiceEntry shop/labels
#   VirtualService shop/labels
resource "istio_egress_traffic_policy" "labels" {
  name              = "labels"
  by_egress_gateway = istio_egress_gateway.istio_egressgateway.reference
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "labels-example-com-80"
      hosts = ["labels.example.com"]
      port  = { name = "http", number = 80, protocol = "HTTP" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry shop/mixed
resource "istio_egress_traffic_policy" "mixed" {
  name = "mixed"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "mixed-example-com-80"
      hosts = ["mixed.example.com"]
      port  = { name = "http", number = 80, protocol = "HTTP" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry shop/shared-out
resource "istio_egress_traffic_policy" "shared_out" {
  name = "shared-out"
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = {} }]
    to = [{
      name  = "new-example-com-443"
      hosts = ["new.example.com"]
      port  = { name = "tls", number = 443, protocol = "TLS" }
    }]
  }]
}

# Says what is said in:
#   Sidecar shop/default
resource "istio_outbound_traffic_policy" "shop" {
  mode      = "REGISTRY_ONLY"
  namespace = "shop"
}
