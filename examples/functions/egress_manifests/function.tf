locals {
  payments = {
    name              = "payments"
    by_egress_gateway = { name = "egressgateway-a", namespace = "istio-egress" }
    egress_rules = [{
      from = [{ namespace = "mytest", workload_selector = { app = "checkout" }, service_accounts = ["checkout"] }]
      to = [{
        name  = "partner"
        hosts = ["api.partner.example"]
        port  = { name = "https", number = 443, protocol = "HTTPS" }
      }]
    }]
  }
  manifests = provider::istio::egress_manifests(local.payments, {
    trust_domain  = "cluster.local"
    gateway_ports = { "partner/api.partner.example" = 12001 }
  })
}

# One stream for kubectl or a GitOps repository, which holds only what keeps to
# the rule: every server of a gateway checks service accounts.
output "payments" {
  value = join("---\n", values(local.manifests))

  precondition {
    condition = alltrue(flatten([
      for key, text in local.manifests : [
        for server in yamldecode(text).spec.servers : length(lookup(server.tls, "subjectAltNames", [])) > 0
      ] if startswith(key, "Gateway/")
    ]))
    error_message = "A policy names the service accounts that may use it."
  }
}
