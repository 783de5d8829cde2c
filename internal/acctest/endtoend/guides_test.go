package endtoend_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// snippet is a block of Terraform in a page; one in a list is indented.
var snippet = regexp.MustCompile("(?ms)^ *```terraform\n(.*?)^ *```$")

// TestGuidesLifecycle validates the configurations in the guides as they are
// published. Those that come from examples/guides are applied by
// TestExamplesLifecycle.
func TestGuidesLifecycle(t *testing.T) {
	f := acctest.New(t)
	pages, err := filepath.Glob(filepath.Join(acctest.Root(), "docs", "guides", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, found := range snippet.FindAllStringSubmatch(string(text), -1) {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(page), i+1), func(t *testing.T) {
				config := found[1]
				if !strings.Contains(config, "required_providers") {
					config = offline + config
				}
				w := f.Workspace(f.CLI, config)
				for _, file := range published(t, "*/*/*.yaml") {
					w.Write(filepath.Base(file), read(t, file))
				}
				w.Expect(0, []string{"validate", "-no-color"}, "Success!")
			})
		}
	}
}

// The example of the guide for hand-written YAML, and the namespace in it.
const (
	exampleMove          = "guides/from-istio-yaml/main.tf"
	exampleMoveNamespace = "egress-move"
)

// testMove goes the way of the guide: adopt writes the configuration that is
// published, the plan names what is in the way, and what has stepped back is not.
func testMove(t *testing.T, f *acctest.Fixture) {
	folder := filepath.Join(acctest.Root(), "examples", filepath.Dir(exampleMove))
	f.FixedNamespace(exampleMoveNamespace)
	f.ApplyFile(exampleSourceNamespace, filepath.Join(folder, "1-by-hand.yaml"))
	// The gateway of the other examples has the name that the new one gets here.
	for _, object := range f.ApplyFile(exampleGatewayNamespace, "testdata/helm-gateway.yaml") {
		f.Delete(object.GetKind(), object.GetNamespace(), object.GetName())
	}
	t.Cleanup(func() { f.ApplyFile(exampleGatewayNamespace, "testdata/helm-gateway.yaml") })
	flags := []string{"-n", exampleSourceNamespace, "--source-namespaces", exampleSourceNamespace}
	configuration, report := adopted(t, f, 0, flags...)
	sameText(t, "what adopt writes", read(t, exampleMove), configuration)

	w := f.Workspace(f.CLI, f.Config(configuration))
	w.Expect(acctest.Failed, acctest.Plan,
		"Host is described by another ServiceEntry too", "Calls are routed by another VirtualService too",
		"ServiceEntry "+exampleSourceNamespace+"/httpbin", "docs/guides/troubleshooting#a-policy-meets-another-object")

	moved := f.ApplyFile(exampleSourceNamespace, filepath.Join(folder, "2-step-back.yaml"))
	f.Delete("ServiceEntry", exampleSourceNamespace, "httpbin")
	narrower := f.Workspace(f.CLI, f.Config(strings.Replace(configuration,
		"workload_selector = {}", `workload_selector = { app = "sleep-a" }`, 1)))
	narrower.Expect(acctest.HasChanges, acctest.Plan, "Workloads that are not selected have another way out", "VirtualService "+exampleMoveNamespace+"/httpbin")
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	for _, grant := range w.Resources()["istio_egress_traffic_policy.httpbin"].Attributes["grants"].([]any) {
		if !strings.Contains(report, fmt.Sprintf("  %s\n", grant)) {
			t.Errorf("adopt did not say that the policy grants %q:\n%s", grant, report)
		}
	}

	for _, object := range moved {
		f.Delete(object.GetKind(), object.GetNamespace(), object.GetName())
	}
	f.Delete("Gateway", exampleSourceNamespace, "istio-egressgateway")
	istioctlFindsNothing(t, f)
	w.Expect(acctest.NoChanges, acctest.Plan)
	if left, report := adopted(t, f, 0, flags...); left != "" {
		t.Errorf("after the move adopt still writes:\n%s\n%s", left, report)
	}
	w.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}
