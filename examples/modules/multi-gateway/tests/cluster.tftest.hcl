# Applied, changed, and destroyed at the end. It needs a cluster that
# KUBE_CONFIG_PATH, or KUBE_HOST and KUBE_TOKEN, name, the namespace below, and the
# permissions of module egress-rbac.

variables {
  namespace = "module-gateways"
}

run "one" {
  variables {
    gateways = { partners = { min_replicas = 1, max_replicas = 1 } }
  }

  assert {
    condition     = output.service_hosts == { partners = "partners.module-gateways.svc.cluster.local" }
    error_message = "Not the gateway's Service: ${jsonencode(output.service_hosts)}"
  }
}

run "another" {
  variables {
    gateways = {
      partners = { min_replicas = 1, max_replicas = 1 }
      internet = { min_replicas = 1, max_replicas = 2, labels = { purpose = "internet" } }
    }
  }

  assert {
    condition     = length(istio_egress_gateway.this["partners"].drift) == 0
    error_message = "The gateway that was there was touched."
  }
  assert {
    condition     = output.service_hosts["internet"] == "internet.module-gateways.svc.cluster.local"
    error_message = "Not the gateway's Service: ${jsonencode(output.service_hosts)}"
  }
}
