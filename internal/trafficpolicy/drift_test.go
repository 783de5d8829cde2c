package trafficpolicy_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// edits are hand edits by kind, each of a field that the policy sets and of
// one that it does not: what somebody adds to an Istio object or a Service
// works as much as what he changes.
var edits = map[string]struct {
	edit func(spec map[string]any)
	// shown are parts of the line that `drift` must have.
	shown []string
}{
	"Gateway": {
		edit: func(spec map[string]any) {
			first(spec, "servers")["hosts"] = []any{"./evil.example"}
			spec["servers"] = append(spec["servers"].([]any), map[string]any{
				"port": map[string]any{"number": int64(19999), "name": "added", "protocol": "HTTP"}, "hosts": []any{"./added.example"},
			})
		},
		shown: []string{"evil.example", "added.example"},
	},
	"ServiceEntry": {
		edit: func(spec map[string]any) {
			spec["exportTo"] = []any{"*"}
			spec["subjectAltNames"] = []any{"added.example"}
		},
		shown: []string{"exportTo", "added.example"},
	},
	"VirtualService": {
		edit: func(spec map[string]any) {
			spec["hosts"] = append(spec["hosts"].([]any), "added.example")
			spec["exportTo"] = []any{"*"}
		},
		shown: []string{"added.example", "exportTo"},
	},
	"DestinationRule": {
		edit: func(spec map[string]any) {
			spec["host"] = "evil.example"
			spec["workloadSelector"] = map[string]any{"matchLabels": map[string]any{"added": "label"}}
			spec["exportTo"] = []any{"."}
		},
		shown: []string{"evil.example", "workloadSelector"},
	},
	"AuthorizationPolicy": {
		edit: func(spec map[string]any) {
			spec["rules"] = append(spec["rules"].([]any), map[string]any{"to": []any{map[string]any{"operation": map[string]any{"ports": []any{"9"}}}}})
		},
		shown: []string{"rules"},
	},
	"Service": {
		edit: func(spec map[string]any) {
			spec["selector"] = map[string]any{"app": "evil", "added": "label"}
		},
		shown: []string{"selector", "evil"},
	},
}

func first(fields map[string]any, list string) map[string]any {
	return fields[list].([]any)[0].(map[string]any)
}

// TestDriftLifecycle edits every object of a policy by hand, and deletes them
// one after the other: refresh shows it with the field manager, apply repairs
// it, and the testing framework fails a step whose plan is not empty then.
func TestDriftLifecycle(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	config := f.Config(s.upgraded())
	var before []*unstructured.Unstructured
	steps := []resource.TestStep{
		{
			Config: config,
			Check: func(*terraform.State) error {
				before = f.Managed()
				kinds := map[string]bool{}
				for _, object := range before {
					kinds[object.GetKind()] = true
				}
				if len(kinds) != len(edits) {
					return fmt.Errorf("a policy with every kind of object has %d, tests edit %d", len(kinds), len(edits))
				}
				return nil
			},
		},
		{
			PreConfig: func() {
				for _, object := range before {
					f.Edit(object.GetKind(), object.GetNamespace(), object.GetName(), func(live *unstructured.Unstructured) {
						edits[object.GetKind()].edit(live.Object["spec"].(map[string]any))
					})
				}
			},
			RefreshState: true, ExpectNonEmptyPlan: true,
			Check: func(state *terraform.State) error { return checkDrift(state, before) },
		},
		{Config: config, Check: func(*terraform.State) error { return checkRepaired(f, before) }},
	}
	// One step for each object; how many there are is known when they exist.
	for i := range upgradedObjects {
		steps = append(steps, resource.TestStep{
			PreConfig: func() {
				if len(before) != upgradedObjects {
					t.Fatalf("the policy has %d objects, %d are deleted", len(before), upgradedObjects)
				}
				f.Delete(before[i].GetKind(), before[i].GetNamespace(), before[i].GetName())
			},
			Config: config,
			Check:  func(*terraform.State) error { return checkRepaired(f, before) },
		})
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps:                    steps,
	})
}

// upgraded is a policy with an object of every kind, and each of them once
// where it can be.
func (s scene) upgraded() string {
	return s.policy(fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to = [{
      name = "web", hosts = ["httpbin.org"], port = { name = "http", number = 80, protocol = "HTTP" }
      https_upgrade = { enabled = true, port = 443 }
    }]
  }]`, s.shop))
}

// upgradedObjects is the number of objects of upgraded: Gateway, Service,
// AuthorizationPolicy; on both sides ServiceEntry, VirtualService and
// DestinationRule.
const upgradedObjects = 9

// checkDrift compares the attribute `drift` with the edits.
func checkDrift(state *terraform.State, objects []*unstructured.Unstructured) error {
	attributes := state.RootModule().Resources[address].Primary.Attributes
	lines := map[string]string{}
	for name, value := range attributes {
		if key, ok := strings.CutPrefix(name, "drift."); ok && key != "%" {
			lines[regexp.MustCompile(`^Gateway/.*`).ReplaceAllString(key, "Gateway")] = value
		}
	}
	for _, object := range objects {
		key := acctest.ID(object)
		if object.GetKind() == "Gateway" {
			key = "Gateway"
		}
		line, ok := lines[key]
		if !ok {
			return fmt.Errorf("drift does not name %s: %v", key, lines)
		}
		for _, part := range append(edits[object.GetKind()].shown, "(kubectl-edit)") {
			if !strings.Contains(line, part) {
				return fmt.Errorf("drift of %s lacks %q:\n%s", key, part, line)
			}
		}
	}
	return nil
}

// checkRepaired fails unless the objects are those of before, with the same
// contents.
func checkRepaired(f *acctest.Fixture, before []*unstructured.Unstructured) error {
	now := f.Managed()
	if len(now) != len(before) {
		return fmt.Errorf("%d objects, before %d: %v", len(now), len(before), f.ManagedIDs())
	}
	for i, object := range now {
		was := fmt.Sprint(before[i].Object["spec"], before[i].GetLabels(), before[i].GetAnnotations())
		is := fmt.Sprint(object.Object["spec"], object.GetLabels(), object.GetAnnotations())
		if object.GetKind() == "Service" {
			// The server allots another address to another object.
			ip := regexp.MustCompile(`10\.96\.\d+\.\d+`)
			was, is = ip.ReplaceAllString(was, ""), ip.ReplaceAllString(is, "")
		}
		if was != is {
			return fmt.Errorf("%s is not what it was:\n%s\n%s", acctest.ID(object), was, is)
		}
	}
	return nil
}
