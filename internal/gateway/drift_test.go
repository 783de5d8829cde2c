package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// driftLines expects what the refresh before a plan has found, by key.
type driftLines map[string]*regexp.Regexp

func (lines driftLines) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, r := range req.Plan.PriorState.Values.RootModule.Resources {
		if r.Address != address {
			continue
		}
		drift, _ := r.AttributeValues["drift"].(map[string]any)
		if len(drift) != len(lines) {
			resp.Error = fmt.Errorf("drift has %d items, want %d: %v", len(drift), len(lines), drift)
		}
		for key, line := range lines {
			if text, _ := drift[key].(string); !line.MatchString(text) {
				resp.Error = errors.Join(resp.Error, fmt.Errorf("drift of %s is %q, want a match of %s", key, text, line))
			}
		}
		return
	}
	resp.Error = fmt.Errorf("%s is not in the refreshed state", address)
}

// TestDrift: hand edits, additions among them, show in a refresh with who made
// them, and the next apply takes them back.
func TestDrift(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("drift")
	config := f.Config(minimal(namespace))
	edits := []struct {
		kind, object string
		edit         func(object map[string]any) error
		path         string
	}{
		{"AuthorizationPolicy", "a-default-deny", func(o map[string]any) error {
			return unstructured.SetNestedSlice(o, []any{map[string]any{}}, "spec", "rules")
		}, "spec.rules"},
		{"Telemetry", "a", func(o map[string]any) error {
			return unstructured.SetNestedField(o, map[string]any{"matchLabels": map[string]any{"istio": "b"}}, "spec", "selector")
		}, "spec.selector.matchLabels.istio"},
		{"Deployment", "a", func(o map[string]any) error {
			return unstructured.SetNestedField(o, true, "spec", "template", "spec", "hostPID")
		}, "spec.template.spec.hostPID"},
		{"Service", "a", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "other", "spec", "selector", "istio")
		}, "spec.selector"},
		{"Role", "a", func(o map[string]any) error {
			return unstructured.SetNestedSlice(o, []any{map[string]any{
				"apiGroups": []any{""}, "resources": []any{"secrets"}, "verbs": []any{"get", "list", "watch", "delete"},
			}}, "rules")
		}, "rules"},
	}
	lines := driftLines{}
	for _, e := range edits {
		lines[e.kind+"/"+namespace+"/"+e.object] = regexp.MustCompile(`(?s)` + regexp.QuoteMeta(e.path) + `.*kubectl-edit`)
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					for _, e := range edits {
						f.Edit(e.kind, namespace, e.object, func(o *unstructured.Unstructured) {
							if err := e.edit(o.Object); err != nil {
								t.Fatal(err)
							}
						})
					}
				},
				Config: config,
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate), lines},
					PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(address, tfjsonpath.New("drift"), knownvalue.MapSizeExact(0)),
				},
			},
		},
	})
}

// TestQuantitySpelling: another spelling of the same quantities is no change.
func TestQuantitySpelling(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("quantity")
	with := func(cpu, memory string) string {
		return f.Config(gateway(namespace, `wait_for_rollout = false
  resources = { requests = { cpu = "`+cpu+`", memory = "`+memory+`" } }`))
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: with("0.1", "1Gi")},
			{Config: with("100m", "1024Mi"), ConfigPlanChecks: empty},
			{Config: with("200m", "1024Mi"), ConfigPlanChecks: action(plancheck.ResourceActionUpdate)},
		},
	})
}
