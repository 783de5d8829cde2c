package trafficpolicy_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// Values that another resource computes in the same apply, whole elements of
// lists among them: core compares what is applied with what was planned, and
// an update with a create.
func TestUnknownUntilApply(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	config := func(host string) string {
		return f.Config(fmt.Sprintf(`
resource "terraform_data" "given" {
  input = {
    gateway = { name = "gw", namespace = %[1]q }
    from    = { namespace = %[2]q, workload_selector = {} }
    to      = { name = "web", hosts = [%[3]q], port = { name = "https", number = 443, protocol = "HTTPS" } }
    host    = "api.%[3]s"
  }
}

resource "istio_egress_traffic_policy" "test" {
  name              = "payments"
  by_egress_gateway = terraform_data.given.output.gateway
  egress_rules = [{
    from = [terraform_data.given.output.from]
    to = [
      terraform_data.given.output.to,
      { name = "api", hosts = [terraform_data.given.output.host], port = { name = "https", number = 443, protocol = "HTTPS" } },
    ]
  }]
}
`, s.egress, s.shop, host))
	}
	unknown := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
		plancheck.ExpectUnknownValue(address, tfjsonpath.New("manifests")),
		plancheck.ExpectUnknownValue(address, tfjsonpath.New("grants")),
	}}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: config("example.com"), ConfigPlanChecks: unknown},
			{Config: config("example.org"), ConfigPlanChecks: unknown, ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("gateway_ports"), knownvalue.MapPartial(map[string]knownvalue.Check{
					"web/example.org": knownvalue.NotNull(), "api/api.example.org": knownvalue.NotNull(),
				})),
			}},
		},
	})
}
