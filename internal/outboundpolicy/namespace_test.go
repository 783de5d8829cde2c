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

// TestNamespaceLifecycle: a namespace without a Sidecar gets one. The testing
// framework fails each step after which the plan is not empty.
func TestNamespaceLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	shop := f.SourceNamespace("shop")
	object := "Sidecar/" + shop + "/default"
	closed := f.Config(policy("test", quoted("mode", "REGISTRY_ONLY"), quoted("namespace", shop)))
	open := f.Config(policy("test", quoted("mode", "ALLOW_ANY"), quoted("namespace", shop), `timeouts = { read = "2m" }`))
	steps := []resource.TestStep{
		{
			Config: closed, ConfigPlanChecks: action(plancheck.ResourceActionCreate),
			ConfigStateChecks: computed(object, "namespace", object, "REGISTRY_ONLY", knownvalue.Null()),
			Check: all(effect(f, shop, "a", proxyview.BlackHole),
				field(f, "Sidecar", shop, "default", "[map[hosts:[*/*]]]", "spec", "egress")),
		},
		{
			Config: open, ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			ConfigStateChecks: computed(object, "namespace", object, "ALLOW_ANY", knownvalue.Null()),
			Check:             effect(f, shop, "a", proxyview.PassThrough),
		},
		{Config: closed, ConfigPlanChecks: action(plancheck.ResourceActionUpdate)},
	}
	steps = append(steps, imports(f, closed, "namespace/"+shop)...)
	steps = append(steps,
		drifted(object, func() {
			f.Edit("Sidecar", shop, "default", func(live *unstructured.Unstructured) {
				live.Object["spec"].(map[string]any)["egress"] = []any{map[string]any{"hosts": []any{"./*"}}}
				_ = unstructured.SetNestedField(live.Object, "ALLOW_ANY", modePath...)
			})
		}, `"ALLOW_ANY" (kubectl-edit)`, "spec.egress[0].hosts[0]"),
		resource.TestStep{
			Config: closed, ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			ConfigStateChecks: computed(object, "namespace", object, "REGISTRY_ONLY", knownvalue.Null()),
			Check: all(field(f, "Sidecar", shop, "default", "REGISTRY_ONLY", modePath...),
				field(f, "Sidecar", shop, "default", "[map[hosts:[*/*]]]", "spec", "egress")),
		},
		resource.TestStep{
			PreConfig: func() { f.Delete("Sidecar", shop, "default") },
			Config:    closed, ConfigPlanChecks: action(plancheck.ResourceActionCreate),
			Check: effect(f, shop, "a", proxyview.BlackHole),
		},
	)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps,
		CheckDestroy: all(f.CheckNothingLeft, effect(f, shop, "a", proxyview.PassThrough)),
	})
}

// helmSidecar is somebody else's Sidecar for a namespace, under any name.
func helmSidecar(f *acctest.Fixture, namespace, outbound string) {
	f.Apply(namespace, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: imported-hosts}
spec:
  egress: [{hosts: ["./*", "istio-system/*"]}]
  %s
`, outbound))
}

// TestForeignSidecarLifecycle: of the Sidecar that is there one field is set,
// and the rest is never touched.
func TestForeignSidecarLifecycle(t *testing.T) {
	f := acctest.NewAnywhere(t)
	shop := f.SourceNamespace("shop")
	object := "Sidecar/" + shop + "/imported-hosts"
	config := f.Config(policy("test", quoted("mode", "REGISTRY_ONLY"), quoted("namespace", shop)))
	open := f.Config(policy("test", quoted("mode", "ALLOW_ANY"), quoted("namespace", shop)))
	helmSidecar(f, shop, "")
	before := fmt.Sprint(f.Get("Sidecar", shop, "imported-hosts").Object["spec"])
	hosts := field(f, "Sidecar", shop, "imported-hosts", "[map[hosts:[./* istio-system/*]]]", "spec", "egress")
	mode := func(want any) resource.TestCheckFunc {
		return all(field(f, "Sidecar", shop, "imported-hosts", want, modePath...), hosts)
	}
	steps := []resource.TestStep{
		{
			Config: config, ConfigStateChecks: computed(object, "namespace", object, "REGISTRY_ONLY", knownvalue.Null()),
			Check: all(mode("REGISTRY_ONLY"), effect(f, shop, "a", proxyview.BlackHole), unmarked(f, shop)),
		},
		{
			Config: open, ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			Check: all(mode("ALLOW_ANY"), effect(f, shop, "a", proxyview.PassThrough)),
		},
		{Config: config, Check: mode("REGISTRY_ONLY")},
	}
	steps = append(steps, imports(f, config, "namespace/"+shop)...)
	steps = append(steps,
		drifted(object, func() {
			f.Edit("Sidecar", shop, "imported-hosts", func(live *unstructured.Unstructured) {
				_ = unstructured.SetNestedField(live.Object, "ALLOW_ANY", modePath...)
			})
		}, `spec.outboundTrafficPolicy.mode: "ALLOW_ANY" (kubectl-edit) -> "REGISTRY_ONLY"`),
		resource.TestStep{Config: config, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: mode("REGISTRY_ONLY")},
		drifted(object, func() {
			f.Edit("Sidecar", shop, "imported-hosts", func(live *unstructured.Unstructured) {
				unstructured.RemoveNestedField(live.Object, "spec", "outboundTrafficPolicy")
			})
		}, `spec.outboundTrafficPolicy.mode: (absent) -> "REGISTRY_ONLY"`),
		resource.TestStep{Config: config, Check: mode("REGISTRY_ONLY")},
	)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps,
		CheckDestroy: func(*terraform.State) error {
			if after := fmt.Sprint(f.Get("Sidecar", shop, "imported-hosts").Object["spec"]); after != before {
				return fmt.Errorf("the Sidecar was %s and is %s", before, after)
			}
			return effect(f, shop, "a", proxyview.PassThrough)(nil)
		},
	})
}

// unmarked fails the step if somebody else's Sidecar carries a mark of ours.
func unmarked(f *acctest.Fixture, namespace string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		live := f.Get("Sidecar", namespace, "imported-hosts")
		if len(live.GetLabels())+len(live.GetAnnotations()) > 0 {
			return fmt.Errorf("labels %v, annotations %v", live.GetLabels(), live.GetAnnotations())
		}
		return f.CheckNothingLeft(nil)
	}
}

// A field that somebody else manages at another value is his, unless it is
// imported; then destroy leaves him what he had.
func TestFieldOfAnotherManager(t *testing.T) {
	f := acctest.New(t)
	shop, other := f.SourceNamespace("shop"), f.SourceNamespace("other")
	helmSidecar(f, shop, "outboundTrafficPolicy: {mode: ALLOW_ANY}")
	helmSidecar(f, other, "outboundTrafficPolicy: {mode: ALLOW_ANY}")
	config := f.Config(policy("test", quoted("mode", "REGISTRY_ONLY"), quoted("namespace", shop)))
	w := f.Workspace(f.CLI, config)
	before := f.TakeSnapshot("Sidecar")
	w.Expect(acctest.Failed, acctest.Plan, "spec.outboundTrafficPolicy.mode of Sidecar/"+shop+"/imported-hosts belongs to another field manager",
		`It is "ALLOW_ANY", set by kubectl`, "terraform import istio_outbound_traffic_policy."+shop+" namespace/"+shop)
	f.CheckUntouched(before, "Sidecar")

	w.Expect(0, []string{"import", "-no-color", address, "namespace/" + shop})
	w.Expect(0, acctest.Apply)
	if err := field(f, "Sidecar", shop, "imported-hosts", "REGISTRY_ONLY", modePath...)(nil); err != nil {
		t.Error(err)
	}
	// Not before its own destroy: another namespace's, of equal value, is shared.
	w.Write("other.tf", policy("other", quoted("mode", "ALLOW_ANY"), quoted("namespace", other)))
	w.Expect(0, acctest.Apply)
	w.Expect(0, acctest.Destroy)
	for _, namespace := range []string{shop, other} {
		if err := field(f, "Sidecar", namespace, "imported-hosts", "ALLOW_ANY", modePath...)(nil); err != nil {
			t.Error(err)
		}
	}
}
