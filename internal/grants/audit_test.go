package grants

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// applied returns the objects of a policy as its apply leaves them, by a
// provider block with a revision of its own.
func applied(t *rapid.T, p policy.Policy, revision string) []*unstructured.Unstructured {
	mesh := policytest.Mesh
	mesh.Revision = revision
	held := map[string]int64{}
	for i, slot := range policy.Slots(p) {
		port := slot.Explicit
		if port == 0 {
			port = int64(15500 + i)
		}
		slot.Set(held, port)
	}
	objects, err := policy.Objects(p, mesh, held)
	if err != nil {
		t.Fatal(err)
	}
	var live []*unstructured.Unstructured
	for _, object := range objects {
		body := object.Body.DeepCopy()
		if object.Shared == nil {
			annotate(body, cluster.AnnotationOwner, owner(p))
		}
		live = append(live, body)
	}
	return live
}

func owner(p policy.Policy) string {
	text, _ := json.Marshal(cluster.Owner{Resource: trafficpolicy.TypeName, ImportID: idOf(p), Nonce: "0123456789abcdef"})
	return string(text)
}

func idOf(p policy.Policy) string {
	namespace, name := policy.Identity(p)
	return namespace + "/" + name
}

func annotate(object *unstructured.Unstructured, key, value string) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	if value == "" {
		delete(annotations, key)
	}
	object.SetAnnotations(annotations)
}

// auditOf audits by a provider block that has another revision than the policies'.
func auditOf(t *rapid.T, live []*unstructured.Unstructured) Audit {
	survey, err := cluster.SurveyOf(live...)
	if err != nil {
		t.Fatal(err)
	}
	mesh := policytest.Mesh
	mesh.Revision = "auditor"
	return take(survey, mesh)
}

func lines(a Audit) []string {
	var all []string
	for _, g := range a.Grants {
		all = append(all, g.Line)
	}
	return slices.Compact(all)
}

// What an apply leaves is intact, and grants what the policy says.
func TestAppliedPoliciesAreIntact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		a := auditOf(t, applied(t, p, rapid.SampledFrom([]string{"", "canary"}).Draw(t, "provider's revision")))
		if diff := cmp.Diff(policy.Grants(p), lines(a)); diff != "" || len(a.Problems) > 0 {
			t.Fatalf("%s\n%+v", diff, a.Problems)
		}
		for _, g := range a.Grants {
			if !g.Intact || g.Policy != idOf(p) {
				t.Fatalf("%+v", g)
			}
		}
	})
}

// damages are what somebody may do to one object. None goes by unseen.
var damages = map[string]func(object *unstructured.Unstructured){
	"spec changed": func(o *unstructured.Unstructured) { o.Object["spec"].(map[string]any)["exportTo"] = []any{"elsewhere"} },
	"of nobody":    func(o *unstructured.Unstructured) { annotate(o, cluster.AnnotationOwner, "") },
	"of another": func(o *unstructured.Unstructured) {
		annotate(o, cluster.AnnotationOwner, `{"resource":"x","id":"y","nonce":"z"}`)
	},
	"under a new name": func(o *unstructured.Unstructured) { o.SetName("other") },
	"record damaged":   func(o *unstructured.Unstructured) { annotate(o, compile.AnnotationSpec, "{") },
	"record of another": func(o *unstructured.Unstructured) {
		annotate(o, compile.AnnotationSpec, strings.Replace(o.GetAnnotations()[compile.AnnotationSpec], `"name":"p`, `"name":"q`, 1))
	},
	"record no valid policy": func(o *unstructured.Unstructured) {
		annotate(o, compile.AnnotationSpec, strings.ReplaceAll(o.GetAnnotations()[compile.AnnotationSpec], `"number":`, `"number":9`))
	},
}

// An object is damaged, or gone: then either the grants are all there and none
// is called intact, or the audit says that some may be hidden.
func TestDamageIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		live := applied(t, p, "")
		at := rapid.IntRange(0, len(live)-1).Draw(t, "object")
		name := rapid.SampledFrom([]string{
			"gone", "spec changed", "of nobody", "of another", "under a new name", "record damaged", "record of another", "record no valid policy",
		}).Draw(t, "damage")
		_, isRecord := live[at].GetAnnotations()[compile.AnnotationSpec]
		shared := live[at].GetAnnotations()[compile.AnnotationVersion] != ""
		switch {
		case name == "gone" && len(live) == 1:
			t.Skip("nothing is left of the policy")
		case name == "gone":
			live = slices.Delete(live, at, at+1)
		case strings.HasPrefix(name, "record") && !isRecord, strings.HasPrefix(name, "of ") && shared:
			t.Skip("not of this object")
		case name == "spec changed" && (live[at].GetKind() == "Service" || live[at].GetKind() == "Gateway" || shared):
			t.Skip("has no such field")
		default:
			damages[name](live[at])
		}
		a := auditOf(t, live)
		if len(a.Problems) == 0 {
			t.Fatal("no problem")
		}
		for _, g := range a.Grants {
			if g.Intact {
				t.Fatalf("%s is called intact: %+v", g.Line, a.Problems)
			}
		}
		hides := slices.ContainsFunc(a.Problems, func(p Problem) bool { return p.Hides })
		if !hides && len(a.warnings()) > 0 || hides && len(a.warnings()) != 1 {
			t.Fatalf("warnings: %v", a.warnings())
		}
		if !hides && name != "record no valid policy" {
			if diff := cmp.Diff(policy.Grants(p), lines(a)); diff != "" {
				t.Fatalf("grants are missing, and nothing says so: %s\n%+v", diff, a.Problems)
			}
		}
	})
}

// A policy's damage says nothing of another policy, and what is left over of an
// update is told.
func TestProblemsAreOfTheirPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		other := policy.Policy{
			Name: "other", ByEgressGateway: &compile.Reference{Name: "elsewhere", Namespace: "other-egress"}, UnselectedWorkloads: policy.Deny,
			EgressRules: []policy.Rule{{
				From: []policy.From{{Namespace: "elsewhere"}},
				To:   []policy.To{{Name: "web", Hosts: []string{"z.example"}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}}},
			}},
		}
		live := applied(t, p, "")
		left := live[rapid.IntRange(0, len(live)-1).Draw(t, "object")].DeepCopy()
		if left.GetAnnotations()[compile.AnnotationVersion] != "" || left.GetAnnotations()[compile.AnnotationSpec] != "" {
			t.Skip("shared, or a record")
		}
		left.SetName("left-over")
		a := auditOf(t, slices.Concat(live, applied(t, other, ""), []*unstructured.Unstructured{left}))
		for _, g := range a.Grants {
			if g.Intact != (g.Policy == idOf(other)) {
				t.Fatalf("%+v\n%+v", g, a.Problems)
			}
		}
		if len(a.Problems) != 1 || !strings.Contains(a.Problems[0].Text, "left over") || a.Problems[0].Hides {
			t.Fatalf("%+v", a.Problems)
		}
	})
}
