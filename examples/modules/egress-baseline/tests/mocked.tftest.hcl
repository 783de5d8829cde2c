# What the outputs are made of, with a provider that invents computed values: no
# cluster is needed.

mock_provider "istio" {
  mock_resource "istio_egress_gateway" {
    defaults = {
      service_host = "egressgateway.istio-egress.svc.cluster.local"
    }
  }
}

run "outputs" {
  variables {
    closed_namespaces = ["shop"]
  }

  assert {
    condition     = output.service_host == "egressgateway.istio-egress.svc.cluster.local"
    error_message = "Not the gateway's Service."
  }
  assert {
    condition     = join(" ", keys(output.outbound)) == "shop"
    error_message = "Not one entry for each closed namespace."
  }
}
