package endtoend_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// offline begins a configuration that has no provider block: functions run
// without one, and a plan of something new needs no cluster.
const offline = `terraform {
  required_providers {
    istio = { source = "` + acctest.ProviderSource + `" }
  }
}
`

// testFunctionExample applies an example where the gateway that it names is
// there already.
func testFunctionExample(t *testing.T, f *acctest.Fixture, example string) {
	gateway := f.Workspace(f.CLI, f.Config(`
resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "`+exampleGatewayNamespace+`"
}
`))
	gateway.Expect(0, acctest.Apply)
	testWithFiles(t, f, example)
	gateway.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}

// testWithFiles applies an example, with the files that it reads.
func testWithFiles(t *testing.T, f *acctest.Fixture, example string) {
	w := f.Workspace(f.CLI, f.Config(read(t, example)))
	for _, file := range published(t, filepath.Dir(example)+"/*.yaml") {
		w.Write(filepath.Base(file), read(t, file))
	}
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	istioctlFindsNothing(t, f)
	w.Expect(0, acctest.Destroy)
}

// TestConvertedPoliciesLifecycle plans the examples of the ASM document, once as
// asm_egress_traffic_policy converts them and once as they are written in HCL:
// the plans are the same.
func TestConvertedPoliciesLifecycle(t *testing.T) {
	f := acctest.New(t)
	for _, name := range []string{"1-http", "2-upgrade", "3-assigned-ports"} {
		t.Run(name, func(t *testing.T) {
			written := f.Workspace(f.CLI, offline)
			written.Write("policy.tf.json", goldenResource(t, name))
			converted := f.Workspace(f.CLI, offline+`
locals {
  asm = provider::istio::asm_egress_traffic_policy(file("${path.module}/asm.yaml"))
}
resource "istio_egress_traffic_policy" "asm" {
  name                 = local.asm.name
  by_egress_gateway    = local.asm.by_egress_gateway
  revision             = local.asm.revision
  unselected_workloads = local.asm.unselected_workloads
  egress_rules         = local.asm.egress_rules
}
`)
			converted.Write("asm.yaml", repositoryFile(t, "internal/convert/testdata/asm-"+name+".in.yaml"))
			if diff := cmp.Diff(plannedValues(t, written), plannedValues(t, converted)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFunctionErrorsLifecycle looks at what a user gets to read.
func TestFunctionErrorsLifecycle(t *testing.T) {
	f := acctest.New(t)
	for name, tt := range map[string]struct {
		expression string
		want       []string
	}{
		"field without a counterpart": {
			`asm_egress_traffic_policy(file("asm.yaml"))`,
			[]string{`Invalid value for "yaml" parameter: 26 problems:`, "spec.egressRules[0].to[0].timeout (line 30): unknown field"},
		},
		"ingress gateway": {
			`smm_mesh_gateway(replace(file("smm.yaml"), "type: egress", "type: ingress"))`,
			[]string{`spec.type (line 22): an ingress gateway; istio_egress_gateway makes egress gateways only`},
		},
		"attribute of a policy": {
			`egress_manifests({ name = "p", egress_rules = [{ from = [], to = [], via = "x" }] }, {})`,
			[]string{`Invalid value for "policy" parameter: policy.egress_rules[0].via: Unknown attribute`},
		},
		"rule of the compiler": {
			`egress_manifests({ name = "p", egress_rules = [{ from = [{ namespace = "shop", service_accounts = ["a"] }], to = [] }] }, {})`,
			[]string{"policy.egress_rules[0].from[0].service_accounts: Service accounts without a gateway"},
		},
		"option": {
			`egress_manifests({ name = "p", egress_rules = [] }, { first = 10000 })`,
			[]string{`Invalid value for "options" parameter: options.first: Unknown attribute`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.Workspace(f.CLI, offline+`output "it" { value = provider::istio::`+tt.expression+" }\n")
			w.Write("asm.yaml", repositoryFile(t, "internal/convert/testdata/asm-mistakes.in.yaml"))
			w.Write("smm.yaml", repositoryFile(t, "internal/convert/testdata/smm-egress-demo.in.yaml"))
			w.Expect(acctest.Failed, acctest.Plan, tt.want...)
		})
	}
	t.Run("rule of the example", func(t *testing.T) {
		open := strings.Replace(read(t, "functions/egress_manifests/function.tf"), `, service_accounts = ["checkout"]`, "", 1)
		f.Workspace(f.CLI, offline+open).Expect(acctest.Failed, acctest.Plan, "A policy names the service accounts that may use it.")
	})
}

// goldenResource returns a golden policy of the compiler as a configuration.
func goldenResource(t *testing.T, name string) string {
	t.Helper()
	var golden struct {
		Policy map[string]any `json:"policy"`
	}
	if err := yaml.Unmarshal([]byte(repositoryFile(t, "internal/compile/policy/testdata/asm-policy-"+name+".in.yaml")), &golden); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"resource": map[string]any{"istio_egress_traffic_policy": map[string]any{"asm": golden.Policy}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// plannedValues plans a workspace with one resource and returns its values.
func plannedValues(t *testing.T, w *acctest.Workspace) any {
	t.Helper()
	w.Expect(0, []string{"plan", "-no-color", "-out=plan"})
	var plan struct {
		PlannedValues struct {
			RootModule struct {
				Resources []struct{ Values any }
			} `json:"root_module"`
		} `json:"planned_values"`
	}
	if err := json.Unmarshal([]byte(w.Expect(0, []string{"show", "-json", "plan"}).Stdout), &plan); err != nil {
		t.Fatal(err)
	}
	if resources := plan.PlannedValues.RootModule.Resources; len(resources) == 1 {
		return resources[0].Values
	}
	t.Fatal("the plan has not one resource")
	return nil
}

// repositoryFile reads a file of the checkout.
func repositoryFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(acctest.Root(), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
