package conflict_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/compiletest"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// rule is a testdata/<rule>.yaml: a policy, and what it meets.
type rule struct {
	// Title says in one line what the rule is.
	Title string `json:"title"`
	// Policy is that of all cases that have none of their own.
	Policy *policy.Policy `json:"policy"`
	Cases  []situation    `json:"cases"`
}

type situation struct {
	// Name says what is there. One that wants nothing is a near miss: it says
	// why there is no conflict.
	Name   string           `json:"name"`
	Policy *policy.Policy   `json:"policy,omitempty"`
	Mesh   *compile.Mesh    `json:"mesh,omitempty"`
	Ports  map[string]int64 `json:"ports,omitempty"`
	Prior  *policy.Policy   `json:"prior,omitempty"`
	// Live are objects of somebody else, unless an annotation `holder` says
	// own, ours or planned.
	Live []map[string]any `json:"live,omitempty"`
	// Policies are other policies that live already.
	Policies []policy.Policy            `json:"policies,omitempty"`
	Secrets  map[string]conflict.Secret `json:"secrets,omitempty"`
	Want     []wanted                   `json:"want"`
}

type wanted struct {
	// Level is error, warning, or movable (a warning in a plan, an error for
	// who writes).
	Level   string `json:"level"`
	At      string `json:"at"`
	Summary string `json:"summary"`
	// Other is the object: Kind namespace/name, of a policy's without the hash.
	Other string `json:"other,omitempty"`
	// Says are parts of the detail.
	Says []string `json:"says,omitempty"`
}

var defaultMesh = compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}

// rules returns the files of testdata by name.
func rules(t testing.TB) map[string]rule {
	t.Helper()
	all := map[string]rule{}
	for path, r := range compiletest.Cases[rule](t, "testdata/*.yaml") {
		for i := range r.Cases {
			if r.Cases[i].Policy == nil {
				r.Cases[i].Policy = r.Policy
			}
		}
		all[strings.TrimSuffix(filepath.Base(path), ".yaml")] = r
	}
	return all
}

func (s situation) mesh() compile.Mesh {
	if s.Mesh != nil {
		return *s.Mesh
	}
	return defaultMesh
}

// objects returns what lives in a situation.
func (s situation) objects(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, fields := range s.Live {
		// By JSON, so that numbers are what a decoder makes of them.
		text, err := yaml.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		json, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(json); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	for _, other := range s.Policies {
		all = append(all, compiled(t, other, s.mesh())...)
	}
	return all
}

// compiled returns the objects of a policy, as another one meets them.
func compiled(t testing.TB, p policy.Policy, mesh compile.Mesh) []*unstructured.Unstructured {
	t.Helper()
	explicit, _ := ports.Keep(nil, policy.Slots(p))
	objects, _ := policy.Preview(p, mesh, explicit)
	var all []*unstructured.Unstructured
	for _, object := range objects {
		body := object.Body.DeepCopy()
		body.SetAnnotations(map[string]string{"holder": "ours", "resource": "policy " + p.Name})
		all = append(all, body)
	}
	return all
}

func (s situation) input(objects []*unstructured.Unstructured) conflict.Input {
	in := conflict.Input{Policy: *s.Policy, Mesh: s.mesh(), Ports: s.Ports, Prior: s.Prior, Holder: holder}
	for _, object := range objects {
		in.Live.Add(object)
	}
	in.Live.Secrets = s.Secrets
	return in
}

func holder(object *unstructured.Unstructured) conflict.Holder {
	of := object.GetAnnotations()["holder"]
	name := object.GetAnnotations()["resource"]
	if name == "" {
		name = "field manager kubectl"
	}
	return conflict.Holder{Own: of == "own", Ours: of == "own" || of == "ours", Planned: of == "planned", Name: name}
}

func TestRules(t *testing.T) {
	for name, r := range rules(t) {
		t.Run(name, func(t *testing.T) {
			if r.Title == "" {
				t.Error("no title")
			}
			for _, s := range r.Cases {
				t.Run(strings.ReplaceAll(s.Name, " ", "_"), func(t *testing.T) {
					for _, problem := range policy.Validate(*s.Policy, s.mesh()) {
						if !problem.Warning {
							t.Errorf("%v: %s: %s", problem.Path, problem.Summary, problem.Detail)
						}
					}
					found := conflict.Check(s.input(s.objects(t)))
					for _, c := range found {
						complete(t, c)
					}
					compare(t, s.Want, found)
				})
			}
		})
	}
}

// nameHash ends the names of most objects of policies.
var nameHash = regexp.MustCompile(`-[0-9a-f]{6}$`)

// compare wants the conflicts in their order. `says` is looked for, the rest is
// exact.
func compare(t *testing.T, want []wanted, found []conflict.Conflict) {
	t.Helper()
	got := []wanted{}
	for i, c := range found {
		w := wanted{Level: level(c), At: compile.PathText(c.Path), Summary: c.Summary}
		if c.Other != nil {
			w.Other = fmt.Sprintf("%s %s/%s", c.Other.GetKind(), c.Other.GetNamespace(), nameHash.ReplaceAllString(c.Other.GetName(), ""))
		}
		if i < len(want) {
			w.Says = want[i].Says
			for _, part := range want[i].Says {
				if !strings.Contains(c.Detail, part) {
					t.Errorf("the detail does not say %q:\n%s", part, c.Detail)
				}
			}
		}
		got = append(got, w)
	}
	if want == nil {
		want = []wanted{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
		for _, c := range found {
			t.Log(c.Summary + ": " + c.Detail)
		}
	}
}

func level(c conflict.Conflict) string {
	switch {
	case c.Movable:
		return "movable"
	case c.Warning:
		return "warning"
	}
	return "error"
}

// complete checks what holds for every message: it names the object, whose it
// is, the attribute, and what to do.
func complete(t *testing.T, c conflict.Conflict) {
	t.Helper()
	if len(c.Path) == 0 {
		t.Errorf("%s: no attribute", c.Summary)
	}
	if c.Movable && !c.Warning || c.Fatal() != (c.Movable || !c.Warning) {
		t.Errorf("%s: what is movable is a warning in a plan, and fatal to who writes", c.Summary)
	}
	if strings.Contains(c.Detail, "%!") || strings.Contains(c.Detail, "  ") || !strings.HasSuffix(c.Detail, ".") {
		t.Errorf("odd detail: %s", c.Detail)
	}
	if c.Other == nil {
		return
	}
	named := fmt.Sprintf("%s %s/%s (%s)", c.Other.GetKind(), c.Other.GetNamespace(), c.Other.GetName(), holder(c.Other).Name)
	if !strings.Contains(c.Detail, named) {
		t.Errorf("the detail does not name %s:\n%s", named, c.Detail)
	}
	if strings.Count(c.Detail, ". ") == 0 {
		t.Errorf("the detail does not say what to do: %s", c.Detail)
	}
}
