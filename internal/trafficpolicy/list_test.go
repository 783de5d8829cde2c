package trafficpolicy_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

const listed = "istio_egress_traffic_policy.test"

// TestList asks for policies by each filter, for some of them, and for all that
// there is to them. However many there are, a LIST per kind is enough.
func TestList(t *testing.T) {
	f := acctest.New(t)
	if !f.CLI.Queries() {
		t.Skipf("%s has no list resources", f.CLI)
	}
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop"), other: f.SourceNamespace("other")}
	config := f.Config(fmt.Sprintf(`
resource "istio_egress_traffic_policy" "many" {
  count             = 12
  name              = "p-${count.index + 10}"
  by_egress_gateway = { name = "gw", namespace = %[1]q }
  egress_rules = [{
    from = [{ namespace = count.index == 0 ? %[3]q : %[2]q, workload_selector = {} }]
    to   = [{ name = "web", hosts = ["h${count.index}.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
resource "istio_egress_traffic_policy" "direct" {
  name = "direct"
  egress_rules = [{
    from = [{ namespace = %[2]q, workload_selector = {} }]
    to   = [{ name = "api", hosts = ["direct.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
`, s.egress, s.shop, s.other))

	is := func(namespace, name string) map[string]knownvalue.Check {
		return map[string]knownvalue.Check{"namespace": knownvalue.StringExact(namespace), "name": knownvalue.StringExact(name)}
	}
	asks := func(block string, checks ...querycheck.QueryResultCheck) resource.TestStep {
		return resource.TestStep{
			Query: true, QueryResultChecks: checks,
			Config: "list \"istio_egress_traffic_policy\" \"test\" {\n  provider = istio\n  " + block + "\n}\n",
		}
	}
	filter := func(attributes string) string { return "config {\n    " + attributes + "\n  }" }
	inEgress := fmt.Sprintf("namespace = %q", s.egress)

	var mark testbed.Mark
	// cheap counts the requests since the mark that a step before has made.
	cheap := func(most int) func() {
		return func() {
			if requests := f.RequestsSince(mark); len(requests) > most {
				t.Errorf("%d requests, more than %d: %v", len(requests), most, requests)
			}
			mark = f.Mark()
		}
	}
	steps := []resource.TestStep{
		{Config: config},
		asks(filter(inEgress), querycheck.ExpectLength(listed, 12), querycheck.ExpectIdentity(listed, is(s.egress, "p-10")),
			querycheck.ExpectResourceDisplayName(listed, queryfilter.ByResourceIdentity(is(s.egress, "p-11")),
				knownvalue.StringExact(fmt.Sprintf("p-11, from %s, via %s/gw", s.shop, s.egress)))),
		// The Services and the ServiceEntries.
		asks("limit = 5\n  "+filter(inEgress), querycheck.ExpectLength(listed, 5), querycheck.ExpectIdentity(listed, is(s.egress, "p-14"))),
		asks(filter(fmt.Sprintf("source_namespace = %q", s.other)), querycheck.ExpectLength(listed, 1), querycheck.ExpectIdentity(listed, is(s.egress, "p-10"))),
		asks(filter(fmt.Sprintf("namespace = %q", s.shop)), querycheck.ExpectLength(listed, 1),
			querycheck.ExpectResourceDisplayName(listed, queryfilter.ByResourceIdentity(is(s.shop, "direct")),
				knownvalue.StringExact(fmt.Sprintf("direct, from %s, direct", s.shop)))),
		asks(filter(inEgress+"\n    egress_gateway = \"other\""), querycheck.ExpectLength(listed, 0)),
		asks("include_resource = true\n  "+filter(inEgress), querycheck.ExpectLength(listed, 12),
			querycheck.ExpectResourceKnownValues(listed, queryfilter.ByResourceIdentity(is(s.egress, "p-21")), []querycheck.KnownValueCheck{
				{Path: tfjsonpath.New("name"), KnownValue: knownvalue.StringExact("p-21")},
				{Path: tfjsonpath.New("gateway_ports"), KnownValue: knownvalue.MapSizeExact(1)},
				{Path: tfjsonpath.New("grants"), KnownValue: knownvalue.SetSizeExact(1)},
				{Path: tfjsonpath.New("drift"), KnownValue: knownvalue.MapSizeExact(0)},
				{Path: tfjsonpath.New("manifests").AtMapKey("Service/" + s.egress + "/p-21-egw"), KnownValue: knownvalue.NotNull()},
			})),
		// One that nobody can read does not hide the others.
		asks(filter(inEgress), querycheck.ExpectLength(listed, 11), querycheck.ExpectNoIdentity(listed, is(s.egress, "p-12"))),
		{Config: config},
	}
	steps[2].PreConfig = func() { mark = f.Mark() }
	steps[3].PreConfig = cheap(2)
	steps[6].PreConfig = func() { mark = f.Mark() }
	steps[7].PreConfig = func() {
		cheap(6)() // one LIST for each kind that a policy becomes
		f.Edit("Service", s.egress, "p-12-egw", func(live *unstructured.Unstructured) {
			annotations := live.GetAnnotations()
			annotations[compile.AnnotationSpec] = "{"
			live.SetAnnotations(annotations)
		})
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps:                    steps,
	})
}
