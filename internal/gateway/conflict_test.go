package gateway_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestForeignObject: an object of the same name is somebody's. The plan says
// so, and nothing is written.
func TestForeignObject(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("foreign")
	var steps []resource.TestStep
	for _, test := range []struct{ kind, text string }{
		{"Role", `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a, labels: {team: other}}}`},
		{"Service", `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`},
		{"Telemetry", `{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: a}, spec: {accessLogging: [{providers: [{name: envoy}]}]}}`},
	} {
		var before acctest.Snapshot
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				f.Apply(namespace, test.text)
				before = f.TakeSnapshot(test.kind)
			},
			Config:      f.Config(minimal(namespace)),
			ExpectError: inOrder(test.kind+"/"+namespace+"/a exists already", "managed by kubectl", "Nothing was written"),
		}, resource.TestStep{
			PreConfig: func() {
				f.CheckUntouched(before, test.kind)
				if ids := f.ManagedIDs(); len(ids) > 0 {
					t.Errorf("written: %v", ids)
				}
				f.Delete(test.kind, namespace, "a")
			},
			Config:             f.Config(minimal(namespace)),
			PlanOnly:           true,
			ExpectNonEmptyPlan: true,
		})
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps})
}

// TestGatewayOfAnotherState: the plan of a gateway that another state has
// names the import command.
func TestGatewayOfAnotherState(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("twice")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(minimal(namespace))},
			{
				Config: f.Config(minimal(namespace) + fmt.Sprintf(`resource "istio_egress_gateway" "b" {
  name = "a"
  namespace = %q
}`, namespace)),
				ExpectError: inOrder("/a exists already", "terraform import istio_egress_gateway.a "+namespace+"/a"),
			},
			{Config: f.Config(minimal(namespace)), ConfigPlanChecks: empty},
		},
	})
}

// TestMissingNamespace: the plan does not need it, the apply says that it is
// missing.
func TestMissingNamespace(t *testing.T) {
	f := acctest.New(t)
	missing := "missing-" + f.Suffix
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(minimal(missing)), PlanOnly: true, ExpectNonEmptyPlan: true},
			{
				// Who may write everywhere learns it from the write itself.
				Config: f.Config(minimal(missing), acctest.WithAttribute("config_path", strconv.Quote(f.ControlPlane().Kubeconfig)),
					acctest.WithAttribute("host", ""), acctest.WithAttribute("token", ""), acctest.WithAttribute("cluster_ca_certificate", "")),
				ExpectError: inOrder(missing, "does not exist"),
			},
			{
				// Who may not is refused before the namespace is looked for.
				Config:      f.Config(minimal(missing)),
				ExpectError: inOrder("forbidden", missing),
			},
		},
	})
}

// TestDestroyInUse: a gateway that a policy uses stays, unless force_destroy
// was applied.
func TestDestroyInUse(t *testing.T) {
	f := acctest.New(t)
	namespace, shop := f.GatewayNamespace("used"), f.SourceNamespace("shop")
	policy := fmt.Sprintf(`
resource "istio_egress_traffic_policy" "p" {
  name              = "payments"
  by_egress_gateway = { name = "a", namespace = %q }
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "api", hosts = ["api.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
`, namespace, shop)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(minimal(namespace) + policy)},
			{
				Config:      f.Config(policy),
				ExpectError: inOrder("The egress gateway is in use", "policy payments", namespace+"/payments", "force_destroy"),
			},
			{Config: f.Config(minimal(namespace) + policy), ConfigPlanChecks: empty},
			{Config: f.Config(gateway(namespace, "force_destroy = true") + policy)},
			{Config: f.Config(policy), ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionDestroy)},
			}},
		},
	})
}

// TestUnreachable: a new gateway can be planned without the cluster. What
// exists cannot be refreshed, and stays in state.
func TestUnreachable(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("offline")
	nowhere := acctest.WithAttribute("host", `"https://127.0.0.1:1"`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(minimal(namespace), nowhere), PlanOnly: true, ExpectNonEmptyPlan: true},
			{Config: f.Config(minimal(namespace), nowhere), ExpectError: inOrder("127.0.0.1:1")},
			{Config: f.Config(minimal(namespace))},
			{Config: f.Config(minimal(namespace), nowhere), ExpectError: inOrder("127.0.0.1:1")},
			{Config: f.Config(minimal(namespace)), ConfigPlanChecks: empty},
		},
	})
}

// TestUnknownAtPlan: what a plan does not know yet, the apply fills in.
func TestUnknownAtPlan(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("unknown")
	config := `resource "terraform_data" "team" { input = "platform" }
` + gateway(namespace, "labels = { team = terraform_data.team.output }\nwait_for_rollout = false")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{{
			Config: f.Config(config),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{
					plancheck.ExpectUnknownValue(address, tfjsonpath.New("manifests")),
					plancheck.ExpectKnownValue(address, tfjsonpath.New("reference").AtMapKey("name"), knownvalue.StringExact("a")),
				},
				PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(address, tfjsonpath.New("manifests"), knownvalue.MapSizeExact(7)),
			},
		}},
	})
}

// TestAutoscalerScales: the number of pods is the autoscaler's, whatever it was.
func TestAutoscalerScales(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("scale")
	config := f.Config(gateway(namespace, "autoscaling = { min_replicas = 1, max_replicas = 4 }\nwait_for_rollout = false"))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					scales := f.Kube.AppsV1().Deployments(namespace)
					scale, err := scales.GetScale(t.Context(), "a", metav1.GetOptions{})
					if err == nil {
						scale.Spec.Replicas = 3
						_, err = scales.UpdateScale(t.Context(), "a", scale, metav1.UpdateOptions{})
					}
					if err != nil {
						t.Fatal(err)
					}
				},
				Config:           config,
				ConfigPlanChecks: empty,
			},
		},
	})
}
