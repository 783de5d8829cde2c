# Plans, and what is refused in them. No cluster is needed.

variables {
  gateways = {
    partners = {
      node_selector = { "egress.example.com/pool" = "partners" }
      tolerations   = [{ key = "egress.example.com/pool", value = "partners", effect = "NoSchedule" }]
    }
    internet = { max_replicas = 10 }
  }
}

run "two_gateways" {
  command = plan

  assert {
    condition     = { for name, g in output.gateways : name => "${g.namespace}/${g.name}" } == { internet = "istio-egress/internet", partners = "istio-egress/partners" }
    error_message = "Not the gateways that were asked for: ${jsonencode(output.gateways)}"
  }
  assert {
    condition     = output.gateways["partners"].selector != output.gateways["internet"].selector
    error_message = "Both references select the same pods."
  }
  assert {
    condition     = istio_egress_gateway.this["partners"].node_selector["egress.example.com/pool"] == "partners" && istio_egress_gateway.this["internet"].node_selector == null
    error_message = "The pods may run elsewhere."
  }
}

run "none" {
  command = plan
  variables {
    gateways = {}
  }
  expect_failures = [var.gateways]
}

run "a_name_that_is_no_label" {
  command = plan
  variables {
    gateways = { Partners = {} }
  }
  expect_failures = [var.gateways]
}

run "more_pods_at_least_than_at_most" {
  command = plan
  variables {
    gateways = { partners = { min_replicas = 6 } }
  }
  expect_failures = [var.gateways]
}

run "the_root_namespace" {
  command = plan
  variables {
    namespace = "istio-system"
  }
  expect_failures = [var.namespace]
}
