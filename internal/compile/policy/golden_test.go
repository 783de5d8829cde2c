package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/compiletest"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is a testdata/<case>.in.yaml.
type golden struct {
	// Title says in one line what the case shows.
	Title  string        `json:"title"`
	Mesh   *compile.Mesh `json:"mesh,omitempty"`
	Policy policy.Policy `json:"policy"`
}

var defaultMesh = policytest.Mesh

func (g golden) mesh() compile.Mesh {
	if g.Mesh != nil {
		return *g.Mesh
	}
	return defaultMesh
}

// assign gives the slots that need a port 10000, 10001, ... in their order.
func assign(p policy.Policy) map[string]int64 {
	slots := policy.Slots(p)
	assigned, _ := ports.Keep(nil, slots)
	next := ports.First
	for _, slot := range ports.Missing(assigned, slots) {
		slot.Set(assigned, next)
		next++
	}
	return assigned
}

// goldens returns the input of each golden pair by the path of its output.
func goldens(t testing.TB) map[string]golden {
	t.Helper()
	all := map[string]golden{}
	for path, g := range compiletest.Cases[golden](t, "testdata/*.in.yaml") {
		all[strings.TrimSuffix(path, ".in.yaml")+".out.yaml"] = g
	}
	return all
}

func TestGolden(t *testing.T) {
	for path, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".out.yaml"), func(t *testing.T) {
			header := []string{g.Title}
			for _, problem := range policy.Validate(g.Policy, g.mesh()) {
				// A golden policy has no errors.
				if !problem.Warning {
					t.Errorf("%s: %s: %s", compile.PathText(problem.Path), problem.Summary, problem.Detail)
				}
				header = append(header, "warning: "+compile.PathText(problem.Path)+": "+problem.Summary)
			}
			for _, grant := range policy.Grants(g.Policy) {
				header = append(header, "grant: "+grant)
			}
			objects, err := policy.Objects(g.Policy, g.mesh(), assign(g.Policy))
			if err != nil {
				t.Fatal(err)
			}
			got := stream(t, header, objects)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("go test -update accepts this:\n%s", diff)
			}
		})
	}
}

// stream writes objects as one YAML stream that kubectl and istioctl read, with
// the title, the warnings and the grants as comments.
func stream(t testing.TB, header []string, objects []manifest.Object) string {
	t.Helper()
	var out strings.Builder
	for _, line := range header {
		fmt.Fprintf(&out, "# %s\n", line)
	}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Body.Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n# %d %s\n%s", object.Stage, object.Key, text)
	}
	return out.String()
}
