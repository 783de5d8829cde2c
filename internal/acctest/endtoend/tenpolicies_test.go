package endtoend_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// exampleTenPolicies is what the pictures of README.md and the docs are made of.
const exampleTenPolicies = "ten-policies/main.tf"

// testTenPolicies applies the example, and compares the committed pictures with it.
func testTenPolicies(t *testing.T, f *acctest.Fixture, covered map[string]bool) {
	covered[exampleTenPolicies] = true
	for _, namespace := range []string{"shop", "billing", "platform"} {
		f.FixedNamespace(namespace)
		f.BindSourceRole(namespace)
	}
	w := f.Workspace(f.CLI, f.Config(read(t, exampleTenPolicies)+`
output "mermaid" { value = provider::istio::egress_graph(local.access, "mermaid") }
`))
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	istioctlFindsNothing(t, f)
	var outputs struct {
		Access  struct{ Value []string }
		Mermaid struct{ Value string }
	}
	if err := json.Unmarshal([]byte(w.Expect(0, []string{"output", "-json"}).Stdout), &outputs); err != nil {
		t.Fatal(err)
	}
	w.Expect(0, acctest.Destroy)
	nothingLeft(t, f)

	if committed := read(t, "functions/egress_graph/graph.mmd"); committed != outputs.Mermaid.Value {
		t.Error("examples/functions/egress_graph/graph.mmd is not what the example gives: run make pictures")
	}
	picture := read(t, "ten-policies/plan.svg")
	for _, line := range outputs.Access.Value {
		var escaped strings.Builder
		if err := xml.EscapeText(&escaped, []byte(line)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(picture, escaped.String()) {
			t.Errorf("examples/ten-policies/plan.svg does not show %s: run make plan-picture", line)
		}
	}
}
