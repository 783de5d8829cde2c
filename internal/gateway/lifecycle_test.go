package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// empty expects that nothing is left to do.
var empty = resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}

func action(a plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{
		PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, a)},
		PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}
}

// TestLifecycle goes once through the life of a gateway.
func TestLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	namespace := f.GatewayNamespace("egress")
	id := namespace + "/a"
	host := fmt.Sprintf("a.%s.svc.cluster.local", namespace)
	reference := knownvalue.ObjectExact(map[string]knownvalue.Check{
		"name":            knownvalue.StringExact("a"),
		"namespace":       knownvalue.StringExact(namespace),
		"selector":        knownvalue.MapExact(map[string]knownvalue.Check{"istio": knownvalue.StringExact("a")}),
		"mutual_tls":      knownvalue.Bool(true),
		"authorization":   knownvalue.StringExact("allow_listed"),
		"revision":        knownvalue.Null(),
		"service_account": knownvalue.StringExact("a"),
	})

	steps := []resource.TestStep{
		{
			Config: f.Config(minimal(namespace)),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue(address, tfjsonpath.New("reference"), reference),
					plancheck.ExpectKnownValue(address, tfjsonpath.New("service_host"), knownvalue.StringExact(host)),
					plancheck.ExpectKnownValue(address, tfjsonpath.New("manifests"), knownvalue.MapSizeExact(7)),
					plancheck.ExpectUnknownValue(address, tfjsonpath.New("cluster_ip")),
				},
				PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("reference"), reference),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("cluster_ip"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("load_balancer_ingress"), knownvalue.ListSizeExact(0)),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("drift"), knownvalue.MapSizeExact(0)),
			},
		},
		{
			Config:           f.Config(everything(namespace)),
			ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("manifests"), knownvalue.MapSizeExact(10)),
			},
		},
		{
			ResourceName:                         address,
			ImportState:                          true,
			ImportStateId:                        id,
			ImportStateVerify:                    true,
			ImportStateVerifyIdentifierAttribute: "name",
		},
		{
			ResourceName:    address,
			ImportState:     true,
			ImportStateKind: resource.ImportBlockWithID,
			ImportStateId:   id,
		},
	}
	if f.CLI.Identity() {
		steps = append(steps, resource.TestStep{
			ResourceName:    address,
			ImportState:     true,
			ImportStateKind: resource.ImportBlockWithResourceIdentity,
		})
	}
	for _, object := range []string{
		"Service/a", "ServiceAccount/a", "Role/a", "RoleBinding/a", "AuthorizationPolicy/a-default-deny", "Telemetry/a",
		"NetworkPolicy/a", "Deployment/a", "HorizontalPodAutoscaler/a", "PodDisruptionBudget/a",
	} {
		kind, name, _ := strings.Cut(object, "/")
		steps = append(steps, resource.TestStep{
			PreConfig:        func() { f.Delete(kind, namespace, name) },
			Config:           f.Config(everything(namespace)),
			ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("manifests"), knownvalue.MapSizeExact(10)),
			},
		})
	}
	steps = append(steps, resource.TestStep{
		Config:           f.Config(minimal(namespace)),
		ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(address, tfjsonpath.New("manifests"), knownvalue.MapSizeExact(7)),
		},
	})
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps:                    steps,
	})
}
