# Applied, and destroyed at the end. It needs a cluster that KUBE_CONFIG_PATH, or
# KUBE_HOST and KUBE_TOKEN, name, the namespaces below, and the permissions of
# module egress-rbac with mesh_scope.

variables {
  namespace = "module-baseline-egress"
  replicas  = { min = 1, max = 2 }
}

run "closed_namespace" {
  variables {
    closed_namespaces = ["module-baseline"]
  }

  assert {
    condition     = output.gateway.namespace == "module-baseline-egress"
    error_message = "The gateway is elsewhere."
  }
  assert {
    condition     = output.outbound["module-baseline"].mode == "REGISTRY_ONLY" && output.outbound["module-baseline"].level == "namespace"
    error_message = "The namespace is open: ${jsonencode(output.outbound)}"
  }
  assert {
    condition     = output.service_host == "egressgateway.module-baseline-egress.svc.cluster.local"
    error_message = "Not the gateway's Service: ${output.service_host}"
  }
}

run "closed_mesh" {
  assert {
    condition     = output.outbound["mesh"].mode == "REGISTRY_ONLY" && startswith(output.outbound["mesh"].object, "ConfigMap/")
    error_message = "The mesh is open: ${jsonencode(output.outbound)}"
  }
  assert {
    condition     = length(istio_egress_gateway.this.drift) == 0
    error_message = "Somebody else changes the gateway."
  }
}
