# The roles are those of examples/rbac, read from there: what a role allows
# stands in one place.
locals {
  files = {
    for file in ["cluster", "gateway-namespace", "gateway-user", "source-namespace", "mesh-scope"] :
    file => [for text in split("\n---\n", file("${path.module}/../../rbac/${file}.yaml")) : yamldecode(text)]
  }
  own = { kind = "ServiceAccount", name = "terraform-provider-istio", namespace = "terraform" }

  # A User or a Group is named with its API group, a ServiceAccount with its namespace.
  subjects = {
    for who, subjects in { writers = var.writers, all = concat(var.writers, var.readers) } : who => [
      for s in subjects : merge(
        { kind = s.kind, name = s.name },
        s.kind == "ServiceAccount" ? { namespace = s.namespace } : {},
        s.kind == "ServiceAccount" ? {} : { apiGroup = "rbac.authorization.k8s.io" },
      )
    ]
  }

  # The ServiceAccount of the files, and its namespace, only where it is meant.
  cluster = [
    for o in local.files["cluster"] : o
    if contains(["Namespace", "ServiceAccount"], o.kind) ? contains(concat(var.writers, var.readers), local.own) : true
  ]

  placed = concat(
    [for o in local.cluster : { object = o, namespace = try(o.metadata.namespace, null) == "istio-system" ? var.istio_namespace : try(o.metadata.namespace, null), who = "all" }],
    flatten([for n in sort(var.gateway_namespaces) : [for o in local.files["gateway-namespace"] : { object = o, namespace = n, who = "writers" }]]),
    flatten([for n in sort(var.shared_gateway_namespaces) : [for o in local.files["gateway-user"] : { object = o, namespace = n, who = "writers" }]]),
    flatten([for n in sort(var.source_namespaces) : [for o in local.files["source-namespace"] : { object = o, namespace = n, who = "writers" }]]),
    [for o in local.files["mesh-scope"] : { object = o, namespace = var.istio_namespace, who = "writers" } if var.mesh_scope],
  )

  mesh_config = var.revision == null ? "istio" : "istio-${var.revision}"

  objects = [
    for p in local.placed : merge(
      p.object,
      { metadata = merge(
        p.object.metadata,
        p.namespace == null ? {} : { namespace = p.namespace },
        # Bindings, and the roles of one namespace, belong to one set of identities.
        contains(["ClusterRoleBinding", "RoleBinding", "Role"], p.object.kind) ? { name = replace(p.object.metadata.name, local.own.name, var.name) } : {},
      ) },
      can(p.object.subjects) ? { subjects = local.subjects[p.who] } : {},
      p.object.kind == "RoleBinding" && try(p.object.roleRef.kind, "") == "Role" ? {
        roleRef = merge(p.object.roleRef, { name = replace(p.object.roleRef.name, local.own.name, var.name) })
      } : {},
      p.object.kind == "Role" ? { rules = [for r in p.object.rules : merge(r, { resourceNames = [local.mesh_config] })] } : {},
    )
  ]
}
