package trafficpolicy_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestLifecycle takes a policy through its life. The testing framework fails
// each step after which the plan is not empty.
func TestLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop"), other: f.SourceNamespace("other")}
	stable := statecheck.CompareValue(compare.ValuesSame())
	port := tfjsonpath.New("gateway_ports").AtMapKey("web/httpbin.org")
	drift := tfjsonpath.New("drift")
	minimal := []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("by_egress_gateway"), knownvalue.ObjectPartial(map[string]knownvalue.Check{
			"name": knownvalue.StringExact("gw"), "namespace": knownvalue.StringExact(s.egress), "selector": knownvalue.Null(),
		})),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("unselected_workloads"), knownvalue.StringExact("deny")),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("gateway_ports"), knownvalue.MapSizeExact(1)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("grants"), knownvalue.SetExact([]knownvalue.Check{
			knownvalue.StringExact(s.shop + "/* (any service account) -> httpbin.org:443 HTTPS, via " + s.egress + "/gw"),
		})),
		statecheck.ExpectKnownValue(address, drift, knownvalue.MapSizeExact(0)),
	}
	steps := []resource.TestStep{
		{
			Config: f.Config(s.minimal()),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectUnknownValue(address, port),
				plancheck.ExpectKnownValue(address, tfjsonpath.New("grants"), knownvalue.SetSizeExact(1)),
				plancheck.ExpectUnknownValue(address, tfjsonpath.New("manifests").AtMapKey("Gateway/"+s.egress+"/gw:web/httpbin.org")),
				plancheck.ExpectKnownValue(address, tfjsonpath.New("manifests").AtMapKey("AuthorizationPolicy/"+s.egress+"/gw-from-"+s.shop), knownvalue.NotNull()),
			}},
			ConfigStateChecks: append(minimal, stable.AddStateValue(address, port)),
		},
		{
			Config: f.Config(s.full()),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				stable.AddStateValue(address, port),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("gateway_ports").AtMapKey("shared"), knownvalue.Int64Exact(2444)),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("gateway_ports"), knownvalue.MapSizeExact(7)),
				statecheck.ExpectKnownValue(address, drift, knownvalue.MapSizeExact(0)),
			},
		},
		{
			// The same state in full: the manifests are JSON now.
			Config: f.Config(s.full(), acctest.WithDetail("full"), acctest.WithKubeconfig()),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("manifests").AtMapKey("Service/"+s.egress+"/payments-egw"),
					knownvalue.StringRegexp(regexp.MustCompile(`^\{"apiVersion":"v1","kind":"Service",`))),
			},
		},
	}
	steps = append(steps, imports(f, s, f.Config(s.full(), acctest.WithDetail("full"), acctest.WithKubeconfig()), "timeouts")...)
	steps = append(steps, resource.TestStep{
		Config: f.Config(s.minimal()), ConfigStateChecks: append(minimal, stable.AddStateValue(address, port)),
	})
	steps = append(steps, imports(f, s, f.Config(s.minimal()))...)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps:                    steps,
	})
}

// imports takes the policy into an empty state in every way there is.
func imports(f *acctest.Fixture, s scene, config string, ignore ...string) []resource.TestStep {
	id := func(*terraform.State) (string, error) { return s.egress + "/payments", nil }
	steps := []resource.TestStep{
		{
			Config: config, ResourceName: address, ImportState: true, ImportStateIdFunc: id,
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "name", ImportStateVerifyIgnore: ignore,
		},
	}
	if len(ignore) > 0 {
		// What the cluster does not hold is in the plan of an import.
		return steps
	}
	steps = append(steps, resource.TestStep{
		Config: config, ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateIdFunc: id,
	})
	if f.CLI.Identity() {
		steps = append(steps, resource.TestStep{
			Config: config, ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity,
		})
	}
	return steps
}

// A direct policy has no gateway: it declares hosts in its source namespaces.
func TestDirectLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	s := scene{shop: f.SourceNamespace("shop"), other: f.SourceNamespace("other")}
	config := f.Config(direct(s.shop, s.other))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{
				Config: config,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(address, tfjsonpath.New("gateway_ports"), knownvalue.MapSizeExact(0)),
					statecheck.ExpectKnownValue(address, tfjsonpath.New("grants"), knownvalue.SetExact([]knownvalue.Check{
						knownvalue.StringExact(s.other + "/* -> api.example.com:443 HTTPS, direct"),
						knownvalue.StringExact(s.shop + "/* -> api.example.com:443 HTTPS, direct"),
					})),
				},
			},
			{
				Config: config, ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithID,
				// The first source namespace in alphabetical order.
				ImportStateIdFunc: func(*terraform.State) (string, error) { return s.other + "/payments", nil },
			},
			{
				Config: f.Config(direct(s.shop)),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace),
				}},
			},
		},
	})
}

func direct(namespaces ...string) string {
	from := ""
	for _, namespace := range namespaces {
		from += `{ namespace = "` + namespace + `", workload_selector = {} }, `
	}
	return `
resource "istio_egress_traffic_policy" "test" {
  name = "payments"
  egress_rules = [{
    from = [` + from + `]
    to   = [{ name = "api", hosts = ["api.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
`
}

// Another gateway in the namespace is an update in place, a new name another
// policy.
func TestAnotherGatewayInPlace(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	replaceGateway := regexp.MustCompile(`name = "gw"`)
	replaceName := regexp.MustCompile(`"payments"`)
	moved := replaceGateway.ReplaceAllString(s.minimal(), `name = "gw-b"`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(s.minimal())},
			{
				Config: f.Config(moved),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				}},
				Check: func(*terraform.State) error {
					for _, gateway := range f.Managed() {
						if gateway.GetKind() == "Gateway" && gateway.GetLabels()["egress.meshegress.io/gateway"] != "gw-b" {
							t.Errorf("Gateway %s of the old gateway is left", gateway.GetName())
						}
					}
					return nil
				},
			},
			{
				Config: f.Config(replaceName.ReplaceAllString(moved, `"renamed"`)),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace),
				}},
			},
		},
	})
}
