# Takes the place of:
#   ServiceEntry default/edition-cnn-com
resource "istio_egress_traffic_policy" "edition_cnn_com" {
  name = "edition-cnn-com"
  egress_rules = [{
    from = [{ namespace = "default", workload_selector = {} }]
    to = [{
      name  = "edition-cnn-com-443"
      hosts = ["edition.cnn.com"]
      port  = { name = "https-port", number = 443, protocol = "HTTPS" }
    }]
  }]
}
