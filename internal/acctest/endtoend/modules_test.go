package endtoend_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// modulesName begins the names of the bindings for the modules' tests.
const modulesName = "modules"

// The namespaces that the cluster tests of the modules name.
var (
	moduleGatewayNamespaces = []string{"module-baseline-egress", "module-team-egress", "module-gateways"}
	moduleSourceNamespaces  = []string{"module-baseline", "module-team"}
)

// passed is the last line of `terraform test`.
var passed = regexp.MustCompile(`Success! (\d+) passed, 0 failed\.`)

// testModules runs the tests of the modules as they are published: first those
// that need no cluster without one, then those on the cluster, with the
// permissions that module egress-rbac gives. It must not run beside tests that
// look at the mesh config: module egress-baseline closes the mesh.
func testModules(t *testing.T, f *acctest.Fixture, covered map[string]bool) {
	for _, file := range published(t, "modules/*/*.tf") {
		covered[file] = true
	}
	examples := copyExamples(t)
	allowed := allowModules(t, f, examples)
	var total int
	for _, main := range published(t, "modules/*/main.tf") {
		module := filepath.Dir(main)
		t.Run(filepath.Base(module), func(t *testing.T) {
			documented(t, module)
			w := f.WorkspaceAt(f.CLI, filepath.Join(examples, module))
			var offline, cluster []string
			for _, file := range published(t, module+"/tests/*.tftest.hcl") {
				filter := "-filter=" + filepath.Join("tests", filepath.Base(file))
				if filepath.Base(file) == "cluster.tftest.hcl" {
					cluster = append(cluster, filter)
				} else {
					offline = append(offline, filter)
				}
			}
			total += testRuns(t, w, offline)
			if len(cluster) > 0 {
				w.Env = append(w.Env, f.Environment()...)
				total += testRuns(t, w, cluster)
			}
		})
	}
	for _, object := range allowed {
		// The rest is shared with other tests.
		if strings.HasPrefix(object.GetName(), modulesName) {
			f.Delete(object.GetKind(), object.GetNamespace(), object.GetName())
		}
	}
	t.Logf("%s: %d runs of the modules' own tests passed", f.CLI, total)
	nothingLeft(t, f)
}

// testRuns runs the tests of a module and returns how many runs passed.
func testRuns(t *testing.T, w *acctest.Workspace, filters []string) int {
	t.Helper()
	result := w.Expect(0, append([]string{"test", "-no-color"}, filters...))
	found := passed.FindStringSubmatch(result.Stdout)
	if found == nil {
		t.Fatalf("no count of runs:\n%s", result.Output)
	}
	count, err := strconv.Atoi(found[1])
	if err != nil || count == 0 {
		t.Fatalf("%q: nothing was tested", found[0])
	}
	t.Log(found[0], filters)
	return count
}

// allowModules makes the namespaces of the modules' tests, and applies what module
// egress-rbac says for them.
func allowModules(t *testing.T, f *acctest.Fixture, examples string) []*unstructured.Unstructured {
	t.Helper()
	for _, namespace := range slices.Concat(moduleGatewayNamespaces, moduleSourceNamespaces) {
		f.FixedNamespace(namespace)
	}
	w := f.WorkspaceAt(f.CLI, filepath.Join(examples, "modules", "egress-rbac"))
	w.Write("test.auto.tfvars.json", encode(t, map[string]any{
		"name": modulesName, "mesh_scope": true,
		"gateway_namespaces": moduleGatewayNamespaces, "source_namespaces": moduleSourceNamespaces,
	}))
	w.Expect(0, acctest.Apply)
	objects := f.Apply("", w.Expect(0, []string{"output", "-raw", "yaml"}).Stdout)
	for _, file := range []string{"test.auto.tfvars.json", "terraform.tfstate"} {
		if err := os.Remove(filepath.Join(w.Dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// copyExamples copies examples/ to where commands may leave files.
func copyExamples(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(acctest.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// documented checks that a module's README has each variable and output, with
// the description that stands at it.
func documented(t *testing.T, module string) {
	t.Helper()
	readme := read(t, module+"/README.md")
	for _, file := range []string{"variables.tf", "outputs.tf"} {
		for name, description := range described(t, module+"/"+file) {
			row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta("`"+name+"` | "+description+" |"))
			if !row.MatchString(readme) {
				t.Errorf("examples/%s/README.md has no row for %s of %s: | `%s` | %s |", module, name, file, name, description)
			}
		}
	}
}

// described returns the descriptions of the variables or outputs in a file.
func described(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, diags := hclparse.NewParser().ParseHCL([]byte(read(t, file)), file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	content, _, diags := parsed.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}}, {Type: "output", LabelNames: []string{"name"}},
	}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	descriptions := map[string]string{}
	for _, block := range content.Blocks {
		var body struct {
			Description string   `hcl:"description"`
			Rest        hcl.Body `hcl:",remain"`
		}
		if diags := gohcl.DecodeBody(block.Body, nil, &body); diags.HasErrors() {
			t.Fatal(diags)
		}
		descriptions[block.Labels[0]] = body.Description
	}
	if len(descriptions) == 0 {
		t.Errorf("examples/%s describes nothing", file)
	}
	return descriptions
}
