# What the outputs are made of, with a provider that invents computed values: no
# cluster is needed.

mock_provider "istio" {
  mock_resource "istio_egress_traffic_policy" {
    defaults = {
      grants        = ["shop (sa checkout) -> api.partner.example:443 HTTPS, via istio-egress/egressgateway"]
      gateway_ports = { "https-443/api.partner.example" = 12345 }
    }
  }
}

run "outputs" {
  variables {
    team    = "shop"
    gateway = { name = "egressgateway", namespace = "istio-egress" }
    egress = {
      checkout = { namespace = "shop", service_accounts = ["checkout"], to = ["https://api.partner.example"] }
      reports  = { namespace = "shop", service_accounts = ["reports"], to = ["https://api.partner.example:8443"] }
    }
  }

  assert {
    condition     = length(output.grants) == 2
    error_message = "Not the grants of all policies."
  }
  assert {
    condition     = output.gateway_ports["shop-checkout"]["https-443/api.partner.example"] == 12345
    error_message = "Not the ports of the policy: ${jsonencode(output.gateway_ports)}"
  }
}
