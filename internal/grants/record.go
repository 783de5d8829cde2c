package grants

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// editedOrNewer ends what is said about a record that does not read.
const editedOrNewer = "It was edited by hand, or written by another version of the provider."

// record reads the intent of one policy, and compares its objects with it.
func (a *auditor) record(m cluster.Marked) {
	id, key := policyOf(m), m.ID.String()
	text, has := m.Annotations[compile.AnnotationSpec]
	if !has {
		a.fault(id, key, fmt.Sprintf("annotation %s is missing: what the policy grants is not known. It was removed by hand.", compile.AnnotationSpec), true)
		return
	}
	p, err := policy.ParseSpec(text)
	if err != nil {
		a.fault(id, key, fmt.Sprintf("annotation %s does not read (%v): what the policy grants is not known. %s",
			compile.AnnotationSpec, errors.Unwrap(err), editedOrNewer), true)
		return
	}
	namespace, name := policy.Identity(p)
	switch said := namespace + "/" + name; {
	case owned(m) && said != id:
		a.fault(id, key, fmt.Sprintf("annotation %s is about policy %s, and annotation %s about %s. It was edited by hand.",
			compile.AnnotationSpec, said, cluster.AnnotationOwner, id), true)
		return
	case a.read[said]:
		a.fault(said, key, "a second record of the policy. It was copied by hand.", true)
		return
	default:
		id = said
	}
	if !a.compare(id, p, m) {
		return
	}
	a.read[id] = true
	for _, g := range policy.EntryGrants(p) {
		a.Grants = append(a.Grants, Grant{EntryGrant: g, Policy: id, OwnerID: m.Owner.OwnerID})
	}
}

// compare compares the live objects of a policy with what it compiles to. It
// is false where the record is not the policy's own.
func (a *auditor) compare(id string, p policy.Policy, m cluster.Marked) bool {
	mesh := a.meshOf(p, m)
	if problem, is := invalid(p, mesh); is {
		a.fault(id, m.ID.String(), fmt.Sprintf("annotation %s is no valid policy, so the objects cannot be compared with it: %s: %s %s",
			compile.AnnotationSpec, problem.Summary, problem.Detail, editedOrNewer), false)
		return true
	}
	held, _ := ports.Keep(policy.LivePorts(p, a.gateways(id)), policy.Slots(p))
	objects, pending := policy.Preview(p, mesh, held)
	if !slices.ContainsFunc(objects, func(o manifest.Object) bool { return o.ID() == m.ID }) {
		a.fault(id, m.ID.String(), fmt.Sprintf("annotation %s is about policy %s, whose record has another name. It was copied by hand.", compile.AnnotationSpec, id), true)
		return false
	}
	release := cluster.Release{Owner: m.Owner}
	if !owned(m) {
		release.Owner = cluster.Owner{Resource: trafficpolicy.TypeName, ImportID: id}
	}
	for _, object := range objects {
		a.explained[object.ID()] = true
		switch {
		case !pending[object.Key]:
			release.Objects = append(release.Objects, object)
		case object.Body.GetKind() == "Gateway":
			a.fault(id, object.Key, object.Key+": gone, and with it the port of the entry on the gateway", false)
		}
	}
	drift := a.survey.Observe(release).Drift
	for _, key := range slices.Sorted(maps.Keys(drift)) {
		a.fault(id, key, drift[key], false)
	}
	return true
}

// invalid returns the first error of a policy.
func invalid(p policy.Policy, mesh compile.Mesh) (compile.Problem, bool) {
	for _, problem := range policy.Validate(policy.Spelled(p), mesh) {
		if !problem.Warning {
			return problem, true
		}
	}
	return compile.Problem{}, false
}

// meshOf returns the mesh as the policy's own provider block has it: the default
// revision of this configuration is none of its business. It is on the record,
// unless the policy names another; then it is on what policies share.
func (a *auditor) meshOf(p policy.Policy, m cluster.Marked) compile.Mesh {
	mesh := a.mesh
	switch {
	case p.Revision == nil:
		mesh.Revision = m.Labels[compile.LabelRevision]
	case p.ByEgressGateway != nil && len(p.EgressRules) > 0 && len(p.EgressRules[0].From) > 0:
		shared := manifest.ID{
			GVK:       authorization,
			Namespace: p.ByEgressGateway.Namespace, Name: policy.FromName(p.ByEgressGateway.Name, p.EgressRules[0].From[0].Namespace),
		}
		if live := a.survey.Get(shared); live != nil {
			mesh.Revision = live.GetLabels()[compile.LabelRevision]
		}
	}
	return mesh
}

// authorization is the kind that policies share.
var authorization = schema.GroupVersionKind{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"}

// gateways returns the live Gateways of a policy.
func (a *auditor) gateways(id string) []*unstructured.Unstructured {
	var live []*unstructured.Unstructured
	for _, m := range a.marked[id] {
		if m.ID.GVK.Kind == "Gateway" {
			live = append(live, a.survey.Get(m.ID))
		}
	}
	return live
}
