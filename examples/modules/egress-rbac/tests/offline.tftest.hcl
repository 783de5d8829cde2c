# What is allowed to whom. It needs no cluster and no provider.

run "everything_a_platform_needs" {
  variables {
    source_namespaces = ["shop", "billing"]
    mesh_scope        = true
  }

  assert {
    condition = toset(keys(output.objects)) == toset([
      "Namespace/terraform",
      "ServiceAccount/terraform/terraform-provider-istio",
      "ClusterRole/terraform-provider-istio:read",
      "ClusterRole/terraform-provider-istio:gateway-namespace",
      "ClusterRole/terraform-provider-istio:gateway-user",
      "ClusterRole/terraform-provider-istio:source-namespace",
      "ClusterRoleBinding/terraform-provider-istio:read",
      "Role/istio-system/terraform-provider-istio:mesh-config",
      "RoleBinding/istio-system/terraform-provider-istio:mesh-config",
      "RoleBinding/istio-egress/terraform-provider-istio:gateway-namespace",
      "RoleBinding/billing/terraform-provider-istio:source-namespace",
      "RoleBinding/shop/terraform-provider-istio:source-namespace",
      "Role/istio-system/terraform-provider-istio:mesh-scope",
      "RoleBinding/istio-system/terraform-provider-istio:mesh-scope",
    ])
    error_message = "Not the objects of examples/rbac: ${join(", ", keys(output.objects))}"
  }
  assert {
    condition     = length(split("---\n", output.yaml)) == length(output.objects)
    error_message = "The stream has not each object once."
  }
}

run "a_plan_phase_writes_nothing" {
  variables {
    name              = "team-shop"
    writers           = [{ kind = "User", name = "https://app.terraform.io#organization:acme:project:shop:workspace:shop-egress:run_phase:apply" }]
    readers           = [{ kind = "User", name = "https://app.terraform.io#organization:acme:project:shop:workspace:shop-egress:run_phase:plan" }]
    source_namespaces = ["shop"]
    revision          = "canary"
  }

  assert {
    condition     = [for s in output.objects["ClusterRoleBinding/team-shop:read"].subjects : s.kind] == ["User", "User"]
    error_message = "Both phases read."
  }
  assert {
    condition = alltrue([
      for key, o in output.objects : [for s in o.subjects : s.name] == [var.writers[0].name]
      if strcontains(key, "gateway-namespace") && o.kind == "RoleBinding" || strcontains(key, "source-namespace") && o.kind == "RoleBinding"
    ])
    error_message = "The plan phase may write."
  }
  assert {
    condition     = output.objects["Role/istio-system/team-shop:mesh-config"].rules[0].resourceNames == ["istio-canary"]
    error_message = "The mesh config is that of the revision."
  }
  assert {
    condition     = length([for key, o in output.objects : key if contains(["Namespace", "ServiceAccount"], o.kind)]) == 0
    error_message = "There is a ServiceAccount that nobody is."
  }
}

run "a_team_on_a_shared_gateway" {
  variables {
    name                      = "team-shop"
    writers                   = [{ kind = "ServiceAccount", name = "terraform", namespace = "shop" }]
    gateway_namespaces        = []
    shared_gateway_namespaces = ["istio-egress"]
    source_namespaces         = ["shop"]
  }

  assert {
    condition     = join(" ", sort([for key, o in output.objects : o.roleRef.name if o.kind == "RoleBinding" && o.metadata.namespace != "istio-system"])) == "terraform-provider-istio:gateway-user terraform-provider-istio:source-namespace"
    error_message = "The team has other roles: ${join(", ", keys(output.objects))}"
  }
  assert {
    condition = alltrue([
      for rule in output.objects["ClusterRole/terraform-provider-istio:gateway-user"].rules : length(setintersection(rule.resources, ["secrets", "deployments", "roles"])) == 0
    ])
    error_message = "A team reads Secrets beside the gateway, or changes its pods."
  }
}

run "a_user_has_no_namespace" {
  command = plan
  variables {
    writers = [{ kind = "User", name = "jane", namespace = "shop" }]
  }
  expect_failures = [var.writers]
}

run "a_service_account_has_one" {
  command = plan
  variables {
    readers = [{ kind = "ServiceAccount", name = "terraform" }]
  }
  expect_failures = [var.readers]
}

run "no_gateway_in_the_root_namespace" {
  command = plan
  variables {
    gateway_namespaces = ["istio-system"]
  }
  expect_failures = [var.gateway_namespaces]
}
