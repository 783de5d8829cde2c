# Plans: who gains access is known without a cluster. And what is refused.

variables {
  team    = "shop"
  gateway = { name = "egressgateway", namespace = "istio-egress" }
  egress = {
    checkout = {
      namespace        = "shop"
      labels           = { app = "checkout" }
      service_accounts = ["checkout"]
      to               = ["https://api.partner.example", "https://www.partner.example", "tcp://db.partner.example:5432"]
      addresses        = { "db.partner.example" = ["203.0.113.7"] }
    }
  }
}

run "grants" {
  command = plan

  assert {
    condition = output.grants == tolist([
      "shop/app=checkout (sa checkout) -> api.partner.example:443 HTTPS, via istio-egress/egressgateway",
      "shop/app=checkout (sa checkout) -> db.partner.example:5432 TCP, via istio-egress/egressgateway",
      "shop/app=checkout (sa checkout) -> www.partner.example:443 HTTPS, via istio-egress/egressgateway",
    ])
    error_message = "Other access than asked for:\n${join("\n", output.grants)}"
  }
  assert {
    condition     = output.policies == { checkout = "shop-checkout" }
    error_message = "The policies have other names: ${jsonencode(output.policies)}"
  }
}

run "an_upgrade" {
  command = plan
  variables {
    egress = {
      reports = {
        namespace        = "shop"
        service_accounts = ["reports", "billing"]
        to               = ["http://httpbin.org"]
        upgrade          = true
      }
    }
  }

  assert {
    condition     = one(output.grants) == "shop/* (sa billing, sa reports) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/egressgateway"
    error_message = "Other access than asked for: ${join(", ", output.grants)}"
  }
}

run "nothing_yet" {
  command = plan
  variables {
    egress = {}
  }

  assert {
    condition     = length(output.grants) == 0
    error_message = "Somebody has access."
  }
}

run "nobody_is_named" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = [], to = ["https://api.partner.example"] } }
  }
  expect_failures = [var.egress]
}

run "nowhere_to_go" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = ["checkout"], to = [] } }
  }
  expect_failures = [var.egress]
}

run "a_scheme_that_is_not_known" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = ["checkout"], to = ["ftp://files.partner.example:21"] } }
  }
  expect_failures = [var.egress]
}

run "tcp_without_a_port" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = ["checkout"], to = ["tcp://db.partner.example"] } }
  }
  expect_failures = [var.egress]
}

run "a_path" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = ["checkout"], to = ["https://api.partner.example/v1"] } }
  }
  expect_failures = [var.egress]
}

run "a_wildcard" {
  command = plan
  variables {
    egress = { checkout = { namespace = "shop", service_accounts = ["checkout"], to = ["https://*.partner.example"] } }
  }
  expect_failures = [var.egress]
}

run "addresses_of_another_host" {
  command = plan
  variables {
    egress = {
      checkout = {
        namespace        = "shop"
        service_accounts = ["checkout"]
        to               = ["tcp://db.partner.example:5432"]
        addresses        = { "dbXpartner.example" = ["203.0.113.7"] }
      }
    }
  }
  expect_failures = [var.egress]
}

run "a_gateway_that_knows_nobody" {
  command = plan
  variables {
    gateway = { name = "egressgateway", mutual_tls = false, authorization = "none" }
  }
  expect_failures = [var.gateway]
}

run "a_team_that_is_no_label" {
  command = plan
  variables {
    team = "Shop Team"
  }
  expect_failures = [var.team]
}
