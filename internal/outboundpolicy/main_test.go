package outboundpolicy_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// address is that of the one policy in most configurations.
const address = "istio_outbound_traffic_policy.test"

// policy is a resource called name, with arguments one to a line.
func policy(name string, arguments ...string) string {
	return fmt.Sprintf("resource \"istio_outbound_traffic_policy\" %q {\n  %s\n}\n", name, strings.Join(arguments, "\n  "))
}

func quoted(name, value string) string { return fmt.Sprintf("%s = %q", name, value) }

// effect fails the step unless istiod sends a workload's undeclared calls where
// it should.
func effect(f *acctest.Fixture, namespace, app, cluster string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if f.ControlPlane().External {
			return nil // its istiod cannot be reached from here
		}
		ctx, cancel := context.WithTimeout(f.T().Context(), time.Minute)
		defer cancel()
		view, err := proxyview.Connect(ctx, f.ControlPlane().Istiod.XDS, proxyview.Sidecar{Namespace: namespace, Labels: map[string]string{"app": app}})
		if err != nil {
			return err
		}
		defer view.Close()
		if err := view.WaitUndeclared(ctx, cluster); err != nil {
			return fmt.Errorf("workload app=%s of %s: %w", app, namespace, err)
		}
		return nil
	}
}

func all(checks ...resource.TestCheckFunc) resource.TestCheckFunc {
	return resource.ComposeTestCheckFunc(checks...)
}

// field fails the step unless a field of a live object is what it should be;
// nil is absent.
func field(f *acctest.Fixture, kind, namespace, name string, want any, path ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		live := f.Get(kind, namespace, name)
		if live == nil {
			return fmt.Errorf("%s %s/%s does not exist", kind, namespace, name)
		}
		got, _, _ := unstructured.NestedFieldNoCopy(live.Object, path...)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%s of %s %s/%s is %v, not %v", strings.Join(path, "."), kind, namespace, name, got, want)
		}
		return nil
	}
}

var modePath = []string{"spec", "outboundTrafficPolicy", "mode"}

func action(a plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, a)}}
}

// computed checks what the provider answers.
func computed(object, level, from, mode string, previous knownvalue.Check) []statecheck.StateCheck {
	source := knownvalue.Check(knownvalue.Null())
	if from != "" {
		source = knownvalue.StringExact(from)
	}
	return []statecheck.StateCheck{
		statecheck.ExpectKnownValue(address, tfjsonpath.New("object"), knownvalue.StringExact(object)),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("effective_from"), knownvalue.ObjectExact(map[string]knownvalue.Check{
			"level": knownvalue.StringExact(level), "object": source, "mode": knownvalue.StringExact(mode),
		})),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("previous_mode"), previous),
		statecheck.ExpectKnownValue(address, tfjsonpath.New("drift"), knownvalue.MapSizeExact(0)),
	}
}

// drifted is a step that refreshes after an edit, and finds lines in `drift`.
func drifted(object string, edit func(), lines ...string) resource.TestStep {
	return resource.TestStep{
		PreConfig: edit, RefreshState: true, ExpectNonEmptyPlan: true,
		Check: func(state *terraform.State) error {
			got := state.RootModule().Resources[address].Primary.Attributes["drift."+object]
			for _, line := range lines {
				if !strings.Contains(got, line) {
					return fmt.Errorf("drift of %s lacks %q:\n%s", object, line, got)
				}
			}
			return nil
		},
	}
}

// imports takes the policy into an empty state in every way there is, each
// ending in an empty plan.
func imports(f *acctest.Fixture, config, id string) []resource.TestStep {
	fixed := func(*terraform.State) (string, error) { return id, nil }
	steps := []resource.TestStep{
		{
			Config: config, ResourceName: address, ImportState: true, ImportStateIdFunc: fixed, ImportStateVerify: true,
			ImportStateVerifyIdentifierAttribute: "mode", ImportStateVerifyIgnore: []string{"previous_mode", "timeouts"},
		},
		{Config: config, ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithID, ImportStateIdFunc: fixed},
	}
	if f.CLI.Identity() {
		steps = append(steps, resource.TestStep{
			Config: config, ResourceName: address, ImportState: true, ImportStateKind: resource.ImportBlockWithResourceIdentity,
		})
	}
	return steps
}

// words matches words whatever white space the CLI puts between them.
func words(text string) *regexp.Regexp {
	fields := strings.Fields(text)
	for i, word := range fields {
		fields[i] = regexp.QuoteMeta(word)
	}
	return regexp.MustCompile(strings.Join(fields, `[\s│]+`))
}
