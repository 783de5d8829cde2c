# Applied, changed, and destroyed at the end. It needs a cluster that
# KUBE_CONFIG_PATH, or KUBE_HOST and KUBE_TOKEN, name, the namespaces below, and
# the permissions of module egress-rbac. A policy needs no more than the name of
# its gateway.

variables {
  team    = "shop"
  gateway = { name = "egressgateway", namespace = "module-team-egress" }
}

run "a_first_host" {
  variables {
    egress = {
      checkout = {
        namespace        = "module-team"
        labels           = { app = "checkout" }
        service_accounts = ["checkout"]
        to               = ["https://api.partner.example"]
      }
    }
  }

  assert {
    condition     = one(output.grants) == "module-team/app=checkout (sa checkout) -> api.partner.example:443 HTTPS, via module-team-egress/egressgateway"
    error_message = "Other access than asked for: ${join(", ", output.grants)}"
  }
  assert {
    condition     = join(" ", keys(output.gateway_ports["shop-checkout"])) == "https-443/api.partner.example"
    error_message = "No port was assigned: ${jsonencode(output.gateway_ports)}"
  }
}

run "a_host_and_a_rule_more" {
  variables {
    egress = {
      checkout = {
        namespace        = "module-team"
        labels           = { app = "checkout" }
        service_accounts = ["checkout"]
        to               = ["https://api.partner.example", "https://aaa.partner.example", "tcp://db.partner.example:5432"]
        addresses        = { "db.partner.example" = ["203.0.113.7"] }
      }
      reports = {
        namespace        = "module-team"
        labels           = { app = "reports" }
        service_accounts = ["reports"]
        to               = ["http://httpbin.org"]
        upgrade          = true
      }
    }
  }

  assert {
    condition     = length(output.grants) == 4
    error_message = "Other access than asked for: ${join(", ", output.grants)}"
  }
  assert {
    condition     = length(distinct(values(output.gateway_ports["shop-checkout"]))) == 3
    error_message = "Not each host has a port of its own: ${jsonencode(output.gateway_ports)}"
  }
}

run "a_rule_less" {
  variables {
    egress = {
      reports = {
        namespace        = "module-team"
        labels           = { app = "reports" }
        service_accounts = ["reports"]
        to               = ["http://httpbin.org"]
        upgrade          = true
      }
    }
  }

  assert {
    condition     = one(output.grants) == "module-team/app=reports (sa reports) -> httpbin.org:80 HTTP, upgraded to 443, via module-team-egress/egressgateway"
    error_message = "Other access than asked for: ${join(", ", output.grants)}"
  }
}
