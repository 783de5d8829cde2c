package endtoend_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// The namespaces that the published examples name.
const (
	exampleGatewayNamespace = "istio-egress"
	exampleSourceNamespace  = "mytest"
	// That of the Service Mesh Manager document.
	exampleSMMNamespace = "smm-demo"
)

// TestExamplesLifecycle plans and applies every example exactly as it is published, and
// takes the result into an empty state in every way that its folder shows.
func TestExamplesLifecycle(t *testing.T) {
	f := acctest.New(t)
	f.FixedNamespace(exampleGatewayNamespace)
	f.BindGatewayRole(exampleGatewayNamespace)
	f.FixedNamespace(exampleSourceNamespace)
	f.BindSourceRole(exampleSourceNamespace)
	f.FixedNamespace(exampleSMMNamespace)
	f.BindGatewayRole(exampleSMMNamespace)
	f.ApplyFile(exampleGatewayNamespace, "testdata/helm-gateway.yaml")

	covered := map[string]bool{
		// Its cluster is a reader's own; that the block is valid is all there is to see.
		"provider/provider.tf": testProviderExample(t, f),
		// Applied by TestDemo.
		"demo/main.tf": true,
	}
	// One after the other: they share the names in them.
	for _, example := range published(t, "resources/*/resource.tf") {
		covered[example] = true
		t.Run(example, func(t *testing.T) { testResourceExample(t, f, example, covered) })
	}
	for _, example := range published(t, "data-sources/*/data-source.tf") {
		covered[example] = true
		t.Run(example, func(t *testing.T) {
			w := f.Workspace(f.CLI, f.Config(read(t, example)))
			w.Expect(0, acctest.Apply)
			w.Expect(acctest.NoChanges, acctest.Plan)
			if len(f.ManagedIDs()) > 0 {
				istioctlFindsNothing(t, f)
			}
			w.Expect(0, acctest.Destroy)
			nothingLeft(t, f)
		})
	}
	for _, example := range published(t, "functions/*/function.tf") {
		covered[example] = true
		t.Run(example, func(t *testing.T) { testFunctionExample(t, f, example) })
	}
	for _, example := range published(t, "guides/*/main.tf") {
		covered[example] = true
		t.Run(example, func(t *testing.T) {
			if example == exampleMove {
				testMove(t, f)
				return
			}
			testWithFiles(t, f, example)
			nothingLeft(t, f)
		})
	}
	t.Run(exampleTenPolicies, func(t *testing.T) { testTenPolicies(t, f, covered) })
	t.Run("policy-as-code", func(t *testing.T) {
		covered["policy-as-code/main.tf"] = true // Its rules are tested in test/rego.
		w := f.WorkspaceAt(f.CLI, filepath.Join(copyExamples(t), "policy-as-code"))
		w.Env = append(w.Env, f.Environment()...)
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
		istioctlFindsNothing(t, f)
		w.Expect(0, acctest.Destroy)
		nothingLeft(t, f)
	})
	t.Run("modules", func(t *testing.T) { testModules(t, f, covered) })
	for _, example := range published(t, "infra-repo/*/*.tf", "infra-repo/*/*/*.tf") {
		covered[example] = true // Applied by TestInfraRepoLifecycle.
	}
	for _, example := range published(t, "hcp-terraform/*/*.tf", "hcp-terraform/*/*.sh") {
		covered[example] = true // Applied by TestRemoteRun.
	}
	if selective() {
		return
	}
	for _, pattern := range []string{"*.tf", "*/*.tf", "*/*/*.tf", "*/*/*/*.tf", "*/*/*.sh", "*/*/*.hcl"} {
		for _, example := range published(t, pattern) {
			if !covered[example] {
				t.Errorf("examples/%s is not tested", example)
			}
		}
	}
}

// selective reports whether only some subtests were asked for, as in
// -run TestExamplesLifecycle/functions: the others cover nothing.
func selective() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/") || flag.Lookup("test.skip").Value.String() != ""
}

func testProviderExample(t *testing.T, f *acctest.Fixture) bool {
	f.Workspace(f.CLI, read(t, "provider/provider.tf")).Expect(0, []string{"validate", "-no-color"}, "Success!")
	return !t.Failed()
}

func testResourceExample(t *testing.T, f *acctest.Fixture, example string, covered map[string]bool) {
	folder := filepath.Dir(example)
	config := f.Config(read(t, example))
	original := f.Workspace(f.CLI, config)
	original.Expect(acctest.HasChanges, acctest.Plan)
	original.Expect(0, acctest.Apply)
	original.Expect(acctest.NoChanges, acctest.Plan)
	istioctlFindsNothing(t, f)
	testQueryExample(t, f, original, filepath.Base(folder), covered)
	// Whatever else the example holds is imported by the first way in its own folder.
	others := importCommands(t, example, original)

	t.Run("import command", func(t *testing.T) {
		covered[folder+"/import.sh"] = true
		w := f.Workspace(f.CLI, config)
		for _, arguments := range append(others, importCommand(t, folder)) {
			w.Expect(0, arguments)
		}
		w.Expect(acctest.NoChanges, acctest.Plan)
	})
	for _, block := range []string{"import-by-string-id.tf", "import-by-identity.tf"} {
		covered[folder+"/"+block] = true
		t.Run(block, func(t *testing.T) {
			if block == "import-by-identity.tf" && !f.CLI.ImportsByIdentity() {
				t.Skipf("%s cannot import by identity", f.CLI)
			}
			w := f.Workspace(f.CLI, config+read(t, folder+"/"+block))
			for _, arguments := range others {
				w.Expect(0, arguments)
			}
			w.Expect(acctest.HasChanges, acctest.Plan, "1 to import, 0 to add, 0 to change, 0 to destroy.")
			w.Expect(0, acctest.Apply)
			w.Expect(acctest.NoChanges, acctest.Plan)
		})
	}
	original.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}

// importCommands returns the import commands of the resources that an example has
// besides the one it is about.
func importCommands(t *testing.T, example string, applied *acctest.Workspace) [][]string {
	t.Helper()
	var commands [][]string
	about := filepath.Base(filepath.Dir(example))
	for address := range applied.Resources() {
		if kind, _, _ := strings.Cut(address, "."); kind != about {
			commands = append(commands, importCommand(t, "resources/"+kind))
		}
	}
	return commands
}

// importCommand reads the one command of an import.sh, without `terraform`.
func importCommand(t *testing.T, folder string) []string {
	t.Helper()
	for line := range strings.Lines(read(t, folder+"/import.sh")) {
		if arguments, ok := strings.CutPrefix(strings.TrimSpace(line), "terraform "); ok {
			return strings.Fields(arguments)
		}
	}
	t.Fatalf("examples/%s/import.sh has no terraform command", folder)
	return nil
}

func nothingLeft(t *testing.T, f *acctest.Fixture) {
	t.Helper()
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// published returns the paths below examples/ that match one of the patterns.
func published(t *testing.T, patterns ...string) []string {
	t.Helper()
	root := filepath.Join(acctest.Root(), "examples")
	var paths []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if path, err = filepath.Rel(root, path); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	return paths
}

func read(t *testing.T, example string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(acctest.Root(), "examples", example))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
