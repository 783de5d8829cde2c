# Takes the place of:
#   ServiceEntry ratings/mongo
resource "istio_egress_traffic_policy" "mongo" {
  name = "mongo"
  egress_rules = [{
    from = [{ namespace = "ratings", workload_selector = {} }]
    to = [{
      name  = "to-203-0-113-7-27018"
      hosts = ["203.0.113.7"]
      port  = { name = "tcp", number = 27018, protocol = "TCP" }
    }]
  }]
}
