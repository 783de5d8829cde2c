package outboundpolicy_test

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// queries ask for the mode of a closed mesh. A namespace without a Sidecar has
// none of its own.
func queries(namespace string) []resource.TestStep {
	const listed = "istio_outbound_traffic_policy.test"
	asks := func(filter string, checks ...querycheck.QueryResultCheck) resource.TestStep {
		return resource.TestStep{Query: true, QueryResultChecks: checks, Config: fmt.Sprintf(
			"list \"istio_outbound_traffic_policy\" \"test\" {\n  provider = istio\n  include_resource = true\n  config {\n    %s\n  }\n}\n", filter)}
	}
	mesh := map[string]knownvalue.Check{"scope": knownvalue.StringExact("mesh"), "namespace": knownvalue.Null(), "name": knownvalue.Null()}
	return []resource.TestStep{
		asks(`scope = "mesh"`, querycheck.ExpectLength(listed, 1),
			querycheck.ExpectResourceDisplayName(listed, queryfilter.ByResourceIdentity(mesh), knownvalue.StringExact("REGISTRY_ONLY for every workload of the mesh")),
			querycheck.ExpectResourceKnownValues(listed, queryfilter.ByResourceIdentity(mesh), []querycheck.KnownValueCheck{
				{Path: tfjsonpath.New("mode"), KnownValue: knownvalue.StringExact("REGISTRY_ONLY")},
				{Path: tfjsonpath.New("effective_from").AtMapKey("level"), KnownValue: knownvalue.StringExact("mesh")},
				{Path: tfjsonpath.New("drift"), KnownValue: knownvalue.MapSizeExact(0)},
			})),
		asks(quoted("namespace", namespace), querycheck.ExpectLength(listed, 0)),
	}
}
