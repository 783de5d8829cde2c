package convert_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/convert"
)

var update = flag.Bool("update", false, "write the golden files anew")

// convertAny converts a text by what the name of its file begins with.
func convertAny(name, text string) (any, error) {
	if strings.HasPrefix(name, "asm-") {
		return convert.ASMEgressTrafficPolicy(text)
	}
	return convert.SMMMeshGateway(text)
}

// TestGolden converts testdata/<case>.in.yaml, a custom resource, into
// <case>.out.yaml, the attributes, or into <case>.problems.txt.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".in.yaml")
		t.Run(name, func(t *testing.T) {
			in, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			out := "testdata/" + name + ".out.yaml"
			attributes, err := convertAny(name, string(in))
			if err != nil {
				out = "testdata/" + name + ".problems.txt"
				got = []byte(err.Error() + "\n")
			} else if got, err = yaml.Marshal(attributes); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(out, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(out)
			if err != nil {
				t.Fatalf("%v (go test -update writes it); got\n%s", err, got)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("go test -update accepts this:\n%s", diff)
			}
		})
	}
}

// TestASMExamplesAreTheCompilersGoldens holds the examples of the ASM document
// against the same policies as they are written in HCL: intent and objects.
func TestASMExamplesAreTheCompilersGoldens(t *testing.T) {
	for _, name := range []string{"1-http", "2-upgrade", "3-assigned-ports"} {
		t.Run(name, func(t *testing.T) {
			in, err := os.ReadFile("testdata/asm-" + name + ".in.yaml")
			if err != nil {
				t.Fatal(err)
			}
			got, err := convert.ASMEgressTrafficPolicy(string(in))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile("../compile/policy/testdata/asm-policy-" + name + ".in.yaml")
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Title  string        `json:"title"`
				Policy policy.Policy `json:"policy"`
			}
			if err := yaml.UnmarshalStrict(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Policy, got); diff != "" {
				t.Errorf("intent: %s", diff)
			}
			mesh := compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}
			wantObjects, wantPending := policy.Preview(want.Policy, mesh, nil)
			gotObjects, gotPending := policy.Preview(got, mesh, nil)
			ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Shared" }, cmp.Ignore())
			if diff := cmp.Diff(wantObjects, gotObjects, ignore); diff != "" {
				t.Errorf("objects: %s", diff)
			}
			if diff := cmp.Diff(wantPending, gotPending); diff != "" {
				t.Errorf("pending: %s", diff)
			}
		})
	}
}

// TestTexts are texts that hold something else than one custom resource.
func TestTexts(t *testing.T) {
	const one = "apiVersion: servicemesh.cisco.com/v1alpha1\nkind: IstioMeshGateway\n"
	for name, tt := range map[string]struct{ text, want string }{
		"empty":           {"", "there is no IstioMeshGateway in the text"},
		"comments":        {"# nothing\n---\n---\n", "there is no IstioMeshGateway in the text"},
		"not YAML":        {"a: [", "the text is not YAML: "},
		"a list":          {"- a\n", "line 1: this is no Kubernetes object but a list"},
		"a string":        {"a.yaml", `line 1: this is no Kubernetes object but "a.yaml"`},
		"two documents":   {one + "---\n" + one, "there are 2 objects in the text, at lines 1, 4"},
		"empty List":      {"kind: List\nitems: []\n", "there is no IstioMeshGateway in the text"},
		"two items":       {"kind: IstioMeshGatewayList\nitems: [{kind: a}, {kind: b}]\n", "there are 2 objects in the text, at lines 2, 2"},
		"item of a List":  {"kind: List\nitems: [a]\n", `this is no Kubernetes object but "a"`},
		"other kind":      {"apiVersion: servicemesh.cisco.com/v1alpha1\nkind: Gateway\n", `kind (line 2): "Gateway", and only IstioMeshGateway`},
		"other version":   {"apiVersion: servicemesh.cisco.com/v1\nkind: IstioMeshGateway\n", `apiVersion (line 1): "servicemesh.cisco.com/v1", and only`},
		"no kind":         {"apiVersion: servicemesh.cisco.com/v1alpha1\n", `kind (line 1): "", and only`},
		"nothing in spec": {one + "metadata: {name: a, namespace: b}\n", "spec (line 1): missing, and required"},
		"spec is text":    {one + "metadata: {name: a, namespace: b}\nspec: x\n", `spec (line 4): "x" is not an object`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := convert.SMMMeshGateway(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// What a stream has around the one custom resource does not count.
func TestEmptyDocumentsAreSkipped(t *testing.T) {
	in, err := os.ReadFile("testdata/smm-egress-demo.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := convert.SMMMeshGateway(string(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := convert.SMMMeshGateway("---\n# exported\n---\n" + string(in) + "\n---\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// valid fails the test if our resource would refuse what was converted.
func valid(t testing.TB, converted any) {
	t.Helper()
	var problems []compile.Problem
	switch intent := converted.(type) {
	case policy.Policy:
		problems = policy.Validate(intent, compile.Mesh{})
	case workload.Gateway:
		problems = workload.Validate(intent, compile.Mesh{})
	}
	for _, problem := range problems {
		if !problem.Warning {
			t.Errorf("%v: %s: %s", problem.Path, problem.Summary, problem.Detail)
		}
	}
}
