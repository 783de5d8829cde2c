package trafficpolicy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// TestGoldenPolicies applies every policy that the compiler has a golden pair
// for, the examples of the ASM and SMM documents among them: what is reviewed
// there is taken by the API server and by istiod's webhook, has an empty plan,
// and is imported into an empty plan.
func TestGoldenPolicies(t *testing.T) {
	f := acctest.New(t)
	g := goldens{f: f}
	resources, imports := g.load(t)
	text, err := json.Marshal(map[string]any{"resource": map[string]any{"istio_egress_traffic_policy": resources}})
	if err != nil {
		t.Fatal(err)
	}
	w := f.Workspace(f.CLI, f.Config(""))
	w.Write("policies.tf.json", string(text))
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)

	other := f.Workspace(f.CLI, f.Config(""))
	other.Write("policies.tf.json", string(text))
	other.Write("imports.tf", imports)
	other.Expect(0, acctest.Apply, " imported, 0 added, 0 changed, 0 destroyed.")
	other.Expect(acctest.NoChanges, acctest.Plan)

	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// goldens turns the compiler's golden policies into resources of one test.
type goldens struct{ f *acctest.Fixture }

// load returns the resources by label, and the blocks that import them.
func (g goldens) load(t *testing.T) (map[string]policy.Policy, string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(acctest.Root(), "internal/compile/policy/testdata/*.in.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden policies: %v", err)
	}
	resources := map[string]policy.Policy{}
	var imports strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Policy policy.Policy `json:"policy"`
		}
		if err := yaml.Unmarshal(text, &golden); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		label := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".in.yaml"), "-", "_")
		p := g.move(golden.Policy, strings.ReplaceAll(label, "_", "-"), len(resources))
		resources[label] = p
		namespace, name := policy.Identity(p)
		imports.WriteString("import {\n  to = istio_egress_traffic_policy." + label + "\n  id = \"" + namespace + "/" + name + "\"\n}\n")
	}
	return resources, imports.String()
}

// move puts a policy into namespaces of its own, and behind a gateway of its
// own: the goldens do not know of each other, and are about the same hosts.
func (g goldens) move(p policy.Policy, label string, number int) policy.Policy {
	p.Name = "p-" + label
	if p.ByEgressGateway != nil {
		p.ByEgressGateway.Name, p.ByEgressGateway.Namespace = label, g.f.GatewayNamespace(fmt.Sprintf("egress-%d", number))
	}
	moved := map[string]string{}
	for i := range p.EgressRules {
		for j := range p.EgressRules[i].From {
			from := &p.EgressRules[i].From[j]
			if _, ok := moved[from.Namespace]; !ok {
				moved[from.Namespace] = g.f.SourceNamespace(fmt.Sprintf("%s-%d", from.Namespace[:min(len(from.Namespace), 20)], number))
			}
			from.Namespace = moved[from.Namespace]
		}
	}
	return p
}
