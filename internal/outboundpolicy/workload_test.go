package outboundpolicy_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
)

// TestWorkloadLifecycle: selected workloads get a Sidecar of their own, which
// repeats what they had before, today and when that changes.
func TestWorkloadLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	shop := f.SourceNamespace("shop")
	object := "Sidecar/" + shop + "/strict"
	helmSidecar(f, shop, "")
	sidecar := func(label, name, mode, selector string) string {
		return policy(label, quoted("mode", mode), quoted("namespace", shop), quoted("name", name), "workload_selector = "+selector)
	}
	closed := f.Config(sidecar("test", "strict", "REGISTRY_ONLY", `{ app = "strict" }`))
	egress := func(want string) resource.TestCheckFunc {
		return field(f, "Sidecar", shop, "strict", want, "spec", "egress")
	}
	steps := []resource.TestStep{
		{
			Config:            closed,
			ConfigStateChecks: computed(object, "workload", object, "REGISTRY_ONLY", knownvalue.Null()),
			Check: all(effect(f, shop, "strict", proxyview.BlackHole), effect(f, shop, "other", proxyview.PassThrough),
				egress("[map[hosts:[./* istio-system/*]]]"), unmarkedSpec(f, shop)),
		},
		drifted(object, func() {
			f.Edit("Sidecar", shop, "imported-hosts", func(live *unstructured.Unstructured) {
				live.Object["spec"].(map[string]any)["egress"] = []any{map[string]any{"hosts": []any{"./*"}}}
			})
		}, `spec.egress[0].hosts[1]: "istio-system/*"`, "-> (absent)"),
		{Config: closed, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: egress("[map[hosts:[./*]]]")},
		drifted(object, func() {
			f.Edit("Sidecar", shop, "strict", func(live *unstructured.Unstructured) {
				_ = unstructured.SetNestedField(live.Object, "ALLOW_ANY", modePath...)
			})
		}, `spec.outboundTrafficPolicy.mode: "ALLOW_ANY" (kubectl-edit) -> "REGISTRY_ONLY"`),
		{Config: closed, Check: effect(f, shop, "strict", proxyview.BlackHole)},
	}
	steps = append(steps, imports(f, closed, "workload/"+shop+"/strict")...)
	moved := f.Config(sidecar("test", "strict", "REGISTRY_ONLY", `{ app = "other" }`))
	steps = append(steps,
		resource.TestStep{
			Config: moved, ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			Check: all(effect(f, shop, "strict", proxyview.PassThrough), effect(f, shop, "other", proxyview.BlackHole)),
		},
		resource.TestStep{
			// The other policy might be on its way out: the plan warns, the apply
			// does not write.
			Config:      moved + sidecar("clash", "clash", "ALLOW_ANY", `{ app = "other", tier = "web" }`),
			ExpectError: words(object + " selects the same workloads"),
		},
		resource.TestStep{
			PreConfig: func() {
				f.Apply(shop, `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: theirs}
spec: {workloadSelector: {labels: {app: theirs}}, egress: [{hosts: ["./*"]}]}
`)
			},
			Config:      moved + sidecar("clash", "clash", "ALLOW_ANY", `{ app = "theirs", tier = "web" }`),
			PlanOnly:    true,
			ExpectError: words("Sidecar/" + shop + "/theirs selects the same workloads"),
		},
		resource.TestStep{
			PreConfig: func() {
				if f.Get("Sidecar", shop, "clash") != nil {
					t.Error("the refused Sidecar was written")
				}
				f.Delete("Sidecar", shop, "strict")
			},
			Config: moved, ConfigPlanChecks: action(plancheck.ResourceActionCreate),
		},
	)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(), CheckDestroy: f.CheckNothingLeft, Steps: steps,
	})
}

// unmarkedSpec fails the step if the Sidecar that is repeated was changed.
func unmarkedSpec(f *acctest.Fixture, namespace string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		live := f.Get("Sidecar", namespace, "imported-hosts")
		if spec := fmt.Sprint(live.Object["spec"]); spec != "map[egress:[map[hosts:[./* istio-system/*]]]]" {
			return fmt.Errorf("the namespace's Sidecar is %s", spec)
		}
		return nil
	}
}
