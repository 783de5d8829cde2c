# Plans, and what is refused in them. No cluster is needed.

run "closes_the_mesh" {
  command = plan

  assert {
    condition     = output.gateway.name == "egressgateway" && output.gateway.namespace == "istio-egress"
    error_message = "The plan does not know the gateway's reference."
  }
  assert {
    condition     = output.gateway.mutual_tls && output.gateway.authorization == "allow_listed"
    error_message = "The gateway admits whom no policy admits."
  }
  assert {
    condition     = [for p in istio_outbound_traffic_policy.this : "${p.mode} ${coalesce(p.namespace, "mesh")}"] == ["REGISTRY_ONLY mesh"]
    error_message = "The mesh stays open."
  }
  assert {
    condition     = istio_egress_gateway.this.network_policy
    error_message = "Pods without a sidecar reach the gateway."
  }
}

run "closes_namespaces" {
  command = plan
  variables {
    closed_namespaces = ["shop", "billing"]
  }

  assert {
    condition     = toset([for p in istio_outbound_traffic_policy.this : p.namespace]) == toset(["billing", "shop"])
    error_message = "Other namespaces than those named."
  }
}

run "a_mode_that_istio_does_not_have" {
  command = plan
  variables {
    mode = "BLOCK_ALL"
  }
  expect_failures = [var.mode]
}

run "no_namespaces_at_all" {
  command = plan
  variables {
    closed_namespaces = []
  }
  expect_failures = [var.closed_namespaces]
}

run "more_pods_at_least_than_at_most" {
  command = plan
  variables {
    replicas = { min = 3, max = 2 }
  }
  expect_failures = [var.replicas]
}

run "the_root_namespace" {
  command = plan
  variables {
    namespace = "istio-system"
  }
  expect_failures = [var.namespace]
}

run "a_name_that_is_no_label" {
  command = plan
  variables {
    name = "Egress_Gateway"
  }
  expect_failures = [var.name]
}
