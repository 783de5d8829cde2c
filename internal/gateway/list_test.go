package gateway_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestList asks for gateways by their labels, and for all that there is to them.
func TestList(t *testing.T) {
	f := acctest.New(t)
	if !f.CLI.Queries() {
		t.Skipf("%s has no list resources", f.CLI)
	}
	namespace := f.GatewayNamespace("egress")
	gateways := ""
	for name, attributes := range map[string]string{
		"least": "", "platform": `labels = { team = "platform" }`, "canary": `revision = "canary"`,
	} {
		gateways += fmt.Sprintf("resource \"istio_egress_gateway\" %[1]q {\n  name = %[1]q\n  namespace = %[2]q\n  wait_for_rollout = false\n  %[3]s\n}\n", name, namespace, attributes)
	}
	asks := func(selector, more string, checks ...querycheck.QueryResultCheck) resource.TestStep {
		return resource.TestStep{Query: true, QueryResultChecks: checks, Config: fmt.Sprintf(
			"list \"istio_egress_gateway\" \"test\" {\n  provider = istio\n  config {\n    namespace = %q\n    label_selector = %q\n  }\n  %s\n}\n", namespace, selector, more)}
	}
	const listed = "istio_egress_gateway.test"
	is := func(name string) map[string]knownvalue.Check {
		return map[string]knownvalue.Check{"namespace": knownvalue.StringExact(namespace), "name": knownvalue.StringExact(name)}
	}
	invalid := asks("a in", "")
	invalid.ExpectError = regexp.MustCompile("Invalid label selector")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(gateways)},
			asks("", "limit = 2", querycheck.ExpectLength(listed, 2), querycheck.ExpectNoIdentity(listed, is("platform"))),
			asks("team=platform", "", querycheck.ExpectLength(listed, 1), querycheck.ExpectIdentity(listed, is("platform"))),
			asks("istio.io/rev in (canary)", "include_resource = true", querycheck.ExpectLength(listed, 1),
				querycheck.ExpectResourceDisplayName(listed, queryfilter.ByResourceIdentity(is("canary")), knownvalue.StringExact(namespace+"/canary")),
				querycheck.ExpectResourceKnownValues(listed, queryfilter.ByResourceIdentity(is("canary")), []querycheck.KnownValueCheck{
					{Path: tfjsonpath.New("revision"), KnownValue: knownvalue.StringExact("canary")},
					{Path: tfjsonpath.New("cluster_ip"), KnownValue: knownvalue.NotNull()},
					{Path: tfjsonpath.New("manifests"), KnownValue: knownvalue.MapSizeExact(7)},
				})),
			invalid,
		},
	})
}
