# Who may reach one host from one namespace, by policies of whatever workspace.
data "istio_egress_grants" "httpbin" {
  namespaces = ["mytest"]
  host       = "httpbin.org"
}

output "who_reaches_httpbin" {
  value = data.istio_egress_grants.httpbin.grants[*].grant
}

# The whole mesh, and what an audit looks at first.
data "istio_egress_grants" "all" {}

check "egress" {
  assert {
    condition     = length(data.istio_egress_grants.all.problems) == 0
    error_message = join("\n", [for p in data.istio_egress_grants.all.problems : "${p.object}: ${p.problem}"])
  }
  assert {
    condition = alltrue([
      for g in data.istio_egress_grants.all.grants : g.way == "gateway" && g.service_accounts != null && coalesce(g.certificate_checked, true)
    ])
    error_message = "Some grants go past the gateway, are for any service account, or do not check the certificate they end in."
  }
}
