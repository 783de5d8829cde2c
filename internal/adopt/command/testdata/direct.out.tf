# Takes the place of:
#   ServiceEntry default/google
resource "istio_egress_traffic_policy" "google" {
  name = "google"
  egress_rules = [{
    from = [{ namespace = "default", workload_selector = {} }]
    to = [{
      name  = "www-google-com-443"
      hosts = ["www.google.com"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}

# Takes the place of:
#   ServiceEntry default/httpbin-ext
resource "istio_egress_traffic_policy" "httpbin_ext" {
  name = "httpbin-ext"
  egress_rules = [{
    from = [{ namespace = "default", workload_selector = {} }]
    to   = [{ name = "httpbin-org-80", hosts = ["httpbin.org"], port = { name = "http", number = 80, protocol = "HTTP" } }]
  }]
}

# Says what is said in:
#   ConfigMap istio-system/istio
resource "istio_outbound_traffic_policy" "mesh" {
  mode = "REGISTRY_ONLY"
}
