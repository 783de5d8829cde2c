# What the outputs are made of, with a provider that invents computed values: no
# cluster is needed.

mock_provider "istio" {}

run "outputs" {
  variables {
    gateways = { partners = {}, internet = {} }
  }

  assert {
    condition     = join(" ", keys(output.gateways)) == "internet partners" && join(" ", keys(output.service_hosts)) == "internet partners"
    error_message = "Not one of each for each gateway."
  }
}
