package trafficpolicy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Where everybody may go directly, a host gives up a port before its routes
// do; one that takes up another instead is written once more at the end. An
// update that is cut short in between is finished by the next apply.
func TestUpdateNarrowsFirst(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	forbidden := f.Namespace("forbidden")
	entries := func(more string, ports ...int) string {
		to := ""
		for _, port := range ports {
			to += fmt.Sprintf(`{ name = "e%[1]d", hosts = ["www.example.com"], port = { name = "http", number = %[1]d, protocol = "HTTP" } },`, port)
		}
		return s.policy(fmt.Sprintf(`
  unselected_workloads = "direct"
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = { app = "a" } }%s]
    to   = [%s]
  }]`, s.shop, more, to))
	}
	var mark testbed.Mark
	// written are the kinds of the source namespace's host, in order.
	written := func(want ...string) {
		var kinds []string
		for _, r := range f.RequestsSince(mark).Writes() {
			if r.Namespace == s.shop && r.Code < 300 && r.Resource != "networking.istio.io/destinationrules" {
				kinds = append(kinds, r.Resource[len("networking.istio.io/"):])
			}
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("written %v, want %v", kinds, want)
		}
	}
	marked := func() { mark = f.Mark() }
	unfinished := fmt.Sprintf(`, { namespace = %q, workload_selector = {} }`, forbidden)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(entries("", 80, 8080, 9090))},
			{PreConfig: marked, Config: f.Config(entries("", 80, 8080))},
			{
				PreConfig: func() { written("serviceentries", "virtualservices"); marked() },
				Config:    f.Config(entries("", 80, 7070)),
			},
			{
				PreConfig: func() {
					written("serviceentries", "virtualservices", "serviceentries")
					marked()
				},
				Config:      f.Config(entries(unfinished, 80, 6060)),
				ExpectError: words(forbidden),
			},
			{
				Config: f.Config(entries("", 80, 6060)),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
			},
		},
	})
}
