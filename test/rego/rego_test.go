package rego_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/tester"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

const (
	root     = "../.."
	example  = root + "/examples/policy-as-code"
	policies = example + "/policy"
)

// TestRulesAsWritten runs the tests beside the rules, and checks that both are
// formatted as `opa fmt` does.
func TestRulesAsWritten(t *testing.T) {
	files, err := filepath.Glob(policies + "/*.rego")
	if err != nil || len(files) < 2 {
		t.Fatalf("no rules with tests in %s: %v", policies, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := format.Source(file, text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, formatted) {
			t.Errorf("%s is not formatted: opa fmt --write", file)
		}
	}
	loaded, err := loader.NewFileLoader().All([]string{policies})
	if err != nil {
		t.Fatal(err)
	}
	results, err := tester.NewRunner().SetModules(loaded.ParsedModules()).RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for result := range results {
		if !result.Pass() {
			t.Errorf("%s (%s)", result, result.Location)
		}
		passed++
	}
	t.Logf("%d tests of the rules passed", passed)
	if passed == 0 {
		t.Error("the rules have no tests")
	}
}

// TestPlans holds the rules against plans: the one of the example keeps to them,
// the one of testdata breaks each.
func TestPlans(t *testing.T) {
	query, err := rego.New(rego.Query("data.main.deny"), rego.Load([]string{policies}, nil)).PrepareForEval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	provider, err := workspace.BuildProvider(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		config string
		plan   []string
		// objects are the findings in the objects, without the objects' names.
		objects []string
	}{
		{config: example + "/main.tf"},
		{
			config: "testdata/refused.tf",
			plan: []string{
				"istio_egress_gateway.open: admits whom no policy admits; authorization must be allow_listed",
				"istio_egress_traffic_policy.direct: goes out without a gateway; set by_egress_gateway",
				"istio_egress_traffic_policy.payments: any account of namespace mytest may use it; name service_accounts",
				"istio_egress_traffic_policy.payments: api.elsewhere.example is not in an allowed domain",
				"istio_egress_traffic_policy.payments: entry elsewhere leaves in plain text; set https_upgrade",
				"istio_egress_traffic_policy.payments: entry httpbin takes any certificate",
				"istio_egress_traffic_policy.payments: other workloads reach its hosts without the gateway; unselected_workloads must be deny",
				"istio_egress_traffic_policy.payments: xpartner.example is not in an allowed domain",
				"istio_outbound_traffic_policy.mytest: opens namespace mytest to undeclared hosts",
			},
			objects: []string{
				"DestinationRule: takes any certificate",
				"Gateway: asks nobody for his service account",
				"ServiceEntry: api.elsewhere.example is not in an allowed domain",
				"ServiceEntry: xpartner.example is not in an allowed domain",
			},
		},
	} {
		t.Run(filepath.Base(tt.config), func(t *testing.T) {
			plan := planned(t, tt.config, provider)
			if found := denied(t, query, plan); !slices.Equal(found, tt.plan) {
				t.Errorf("the plan is refused for\n  %s\nwant\n  %s", strings.Join(found, "\n  "), strings.Join(tt.plan, "\n  "))
			}
			var objects []string
			for _, object := range manifests(t, plan) {
				for _, message := range denied(t, query, object) {
					objects = append(objects, unnamed(message))
				}
			}
			slices.Sort(objects)
			if found := slices.Compact(objects); !slices.Equal(found, tt.objects) {
				t.Errorf("objects are refused for\n  %s\nwant\n  %s", strings.Join(found, "\n  "), strings.Join(tt.objects, "\n  "))
			}
		})
	}
}

// denied returns what the rules say of an input, sorted.
func denied(t *testing.T, query rego.PreparedEvalQuery, input any) []string {
	t.Helper()
	results, err := query.Eval(t.Context(), rego.EvalInput(input))
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, message := range results[0].Expressions[0].Value.([]any) {
		messages = append(messages, message.(string))
	}
	slices.Sort(messages)
	return messages
}

// unnamed takes the name of the object, and the port, out of a message.
func unnamed(message string) string {
	kind, rest, _ := strings.Cut(message, " ")
	_, finding, _ := strings.Cut(rest, ": ")
	if _, without, ok := strings.Cut(finding, " asks "); ok {
		finding = "asks " + without
	}
	return kind + ": " + finding
}

// planned plans a configuration without a cluster and returns the plan as JSON
// has it.
func planned(t *testing.T, config, provider string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workspace.New(t.TempDir(), terraform(t), provider)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFile("main.tf", string(text)); err != nil {
		t.Fatal(err)
	}
	run(t, w, "plan", "-no-color", "-out=plan")
	var plan map[string]any
	if err := json.Unmarshal([]byte(run(t, w, "show", "-json", "plan").Stdout), &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

func run(t *testing.T, w *workspace.Workspace, arguments ...string) workspace.Result {
	t.Helper()
	result, err := w.Run(t.Context(), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 0 {
		t.Fatalf("%s: exit code %d\n%s", strings.Join(arguments, " "), result.ExitCode, result.Output)
	}
	return result
}

// terraform returns the executable of the acceptance tests.
func terraform(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "run", "./internal/acctest/testbed/cmd/testbed", "path", "terraform")
	command.Dir, command.Stderr = root, os.Stderr
	path, err := command.Output()
	if err != nil {
		t.Fatalf("no terraform: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// manifests returns the objects in the output of that name.
func manifests(t *testing.T, plan map[string]any) []any {
	t.Helper()
	text := plan["planned_values"].(map[string]any)["outputs"].(map[string]any)["manifests"].(map[string]any)["value"].(string)
	var objects []any
	for document := range strings.SplitSeq(text, "\n---\n") {
		var object any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	if len(objects) < 5 {
		t.Fatalf("%d objects:\n%s", len(objects), text)
	}
	return objects
}
