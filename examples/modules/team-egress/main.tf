locals {
  # "https://api.partner.example" -> { scheme = "https", host = "api.partner.example", port = 443 }
  targets = {
    for key, rule in var.egress : key => [
      for url in sort(rule.to) : merge(
        regex("^(?P<scheme>[a-z0-9]+)://(?P<host>[^:]+)", url),
        { port = try(tonumber(regex(":([0-9]+)$", url)[0]), startswith(url, "https:") ? 443 : 80) },
      )
    ]
  }

  # One entry for each scheme and port, so that a host more is a line more. TCP
  # carries no name: there each host is an entry of its own, with its addresses.
  entries = {
    for key, targets in local.targets : key => {
      for t in targets : (t.scheme == "tcp" ? "tcp-${t.port}-${substr(sha1(t.host), 0, 6)}" : "${t.scheme}-${t.port}") => t...
    }
  }
}

resource "istio_egress_traffic_policy" "this" {
  for_each = var.egress

  name                 = "${var.team}-${each.key}"
  by_egress_gateway    = var.gateway
  unselected_workloads = var.unselected_workloads

  egress_rules = [{
    name = each.key
    from = [{
      namespace         = each.value.namespace
      workload_selector = each.value.labels
      service_accounts  = sort(each.value.service_accounts)
    }]
    to = [
      for name, targets in local.entries[each.key] : {
        name      = name
        hosts     = targets[*].host
        addresses = lookup(each.value.addresses, targets[0].host, null)
        port      = { name = targets[0].scheme, number = targets[0].port, protocol = upper(targets[0].scheme) }

        https_upgrade = each.value.upgrade && targets[0].scheme == "http" ? { enabled = true, port = 443 } : null
      }
    ]
  }]
}
