package grants

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// Audit is what the live policies of a mesh grant, and what is wrong with them.
type Audit struct {
	Grants   []Grant
	Problems []Problem
}

// Grant is a grant of a live policy.
type Grant struct {
	policy.EntryGrant
	// Policy is the import id: "namespace/name".
	Policy string
	// OwnerID is the owner_id of the provider that applied it, empty if it has none.
	OwnerID string
	// Intact is whether every object of the policy is as the policy wants it.
	Intact bool
}

// Problem is something that a policy does not explain, or an object that is
// not what its policy says.
type Problem struct {
	// Policy is the import id, empty if none can be told.
	Policy string
	// Object is the key of the object, as in `manifests`.
	Object string
	Text   string
	// Hides is whether there may be grants that Audit does not have.
	Hides bool
}

// auditor goes through a survey.
type auditor struct {
	Audit
	survey *cluster.Survey
	mesh   compile.Mesh
	// marked are the objects of policies, by import id.
	marked map[string][]cluster.Marked
	// explained are the objects that some policy of the survey becomes.
	explained map[manifest.ID]bool
	// read are the policies whose grants are in the audit.
	read map[string]bool
	// broken are those with a problem.
	broken map[string]bool
}

// take audits what a survey of policy.Kinds has seen.
func take(survey *cluster.Survey, mesh compile.Mesh) Audit {
	a := &auditor{
		survey: survey, mesh: mesh, marked: map[string][]cluster.Marked{},
		explained: map[manifest.ID]bool{}, read: map[string]bool{}, broken: map[string]bool{},
	}
	var records []cluster.Marked
	for _, gvk := range policy.Kinds() {
		for _, m := range survey.Marked(gvk) {
			if !ofPolicy(m) {
				continue
			}
			a.marked[policyOf(m)] = append(a.marked[policyOf(m)], m)
			if isRecord(m) {
				records = append(records, m)
			}
		}
	}
	for _, m := range records {
		a.record(m)
	}
	a.strays()
	a.finish()
	return a.Audit
}

// ofPolicy reports whether an object is, or says to be, one of a policy's. The
// AuthorizationPolicies that policies share belong to none: whose namespaces
// they admit is compared with each policy that needs one.
func ofPolicy(m cluster.Marked) bool {
	_, labelled := m.Labels[compile.LabelPolicy]
	return owned(m) || labelled || m.ID.GVK.Kind == "ServiceEntry"
}

// owned reports whether an object names a policy as its owner.
func owned(m cluster.Marked) bool { return m.Owned && m.Owner.Resource == trafficpolicy.TypeName }

// policyOf returns the import id of an object's policy: as its owner says,
// else as far as its labels do.
func policyOf(m cluster.Marked) string {
	if owned(m) {
		return m.Owner.ImportID
	}
	if name := m.Labels[compile.LabelPolicy]; name != "" && isRecord(m) {
		return m.ID.Namespace + "/" + name
	}
	return ""
}

// isRecord reports whether an object of a policy carries its intent, or ought to.
func isRecord(m cluster.Marked) bool {
	_, has := m.Annotations[compile.AnnotationSpec]
	return has || m.ID.GVK.Kind == "Service"
}

// fault adds a problem.
func (a *auditor) fault(policyID, object, text string, hides bool) {
	a.Problems = append(a.Problems, Problem{Policy: policyID, Object: object, Text: text, Hides: hides})
	a.broken[policyID] = true
}

// finish says which grants are intact, and brings both lists in order.
func (a *auditor) finish() {
	for i := range a.Grants {
		a.Grants[i].Intact = !a.broken[a.Grants[i].Policy]
	}
	slices.SortStableFunc(a.Grants, func(x, y Grant) int {
		return cmp.Or(strings.Compare(x.Line, y.Line), strings.Compare(x.Policy, y.Policy))
	})
	slices.SortStableFunc(a.Problems, func(x, y Problem) int {
		return cmp.Or(strings.Compare(x.Policy, y.Policy), strings.Compare(x.Object, y.Object))
	})
}
