package conflict

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Input is a policy and what lives in the cluster.
type Input struct {
	Policy policy.Policy
	Mesh   compile.Mesh
	// Ports are the container ports that are known, as in `gateway_ports`.
	Ports map[string]int64
	// Prior is the policy that an update replaces, nil at create.
	Prior *policy.Policy
	Live  Live
	// Holder says whose a live object is. It is asked only about objects that
	// the policy meets.
	Holder func(*unstructured.Unstructured) Holder
}

// Live are the live objects by kind. A kind that could not be read is empty.
// Objects of this provider count in the policy's namespaces only.
type Live struct {
	VirtualServices       []*unstructured.Unstructured
	ServiceEntries        []*unstructured.Unstructured
	DestinationRules      []*unstructured.Unstructured
	Gateways              []*unstructured.Unstructured
	Services              []*unstructured.Unstructured
	Sidecars              []*unstructured.Unstructured
	AuthorizationPolicies []*unstructured.Unstructured
	// Secrets are those that were looked for in the gateway's namespace, by name.
	Secrets map[string]Secret
}

// Secret is what is known of a Secret: never a value.
type Secret struct {
	Exists bool
	// Keys of its data that have a value.
	Keys []string
}

// Holder is whose a live object is.
type Holder struct {
	// Own is an object of the policy itself.
	Own bool
	// Ours is an object of some instance of this provider.
	Ours bool
	// Name is the resource or the field managers, for people.
	Name string
}

// Conflict is one thing that the policy would meet.
type Conflict struct {
	compile.Problem
	// Other is the object that it would meet; nil where one is missing.
	Other *unstructured.Unstructured
	// Movable is a conflict with another policy, a warning as long as that
	// one can give way, and an error for who is about to write.
	Movable bool
}

// Check returns the conflicts of a valid policy, in the order of the kinds and
// of the configuration.
func Check(in Input) []Conflict {
	c := &check{Input: in, flows: flowsOf(in.Policy), told: map[string]bool{}}
	objects, _ := policy.Preview(in.Policy, in.Mesh, in.Ports)
	c.objects = byKind(objects)
	if in.Prior != nil {
		prior, _ := policy.Preview(*in.Prior, in.Mesh, in.Ports)
		c.prior = map[string]bool{}
		for _, object := range prior {
			c.prior[object.Key] = true
		}
	}
	c.virtualServices()
	c.serviceEntries()
	c.destinationRules()
	c.sidecars()
	if in.Policy.ByEgressGateway != nil {
		c.gateways()
		c.services()
		c.authorizationPolicies()
		c.credentials()
	}
	return c.found
}

type check struct {
	Input
	flows   []flow
	objects map[string][]manifest.Object
	// prior has the keys of the objects before an update.
	prior map[string]bool
	found []Conflict
	told  map[string]bool
}

func byKind(objects []manifest.Object) map[string][]manifest.Object {
	kinds := map[string][]manifest.Object{}
	for _, object := range objects {
		kind := object.Body.GetKind()
		kinds[kind] = append(kinds[kind], object)
	}
	return kinds
}

// meeting is a conflict before it is known whose the other object is.
type meeting struct {
	at      []any
	summary string
	// what the other object does, as a predicate: "routes ...".
	what string
	// advice is what to do about an object of somebody else.
	advice string
	// warning is set where the policy works all the same.
	warning bool
}

// meet reports an object unless it is the policy's own. Each object is told
// once for an attribute.
func (c *check) meet(other *unstructured.Unstructured, m meeting) {
	holder := c.Holder(other)
	if holder.Own {
		return
	}
	problem := compile.Problem{Path: m.at, Summary: m.summary, Warning: m.warning}
	named := idOf(other)
	if holder.Name != "" {
		named += " (" + holder.Name + ")"
	}
	movable := holder.Ours && !m.warning
	switch {
	case movable:
		problem.Warning = true
		problem.Detail = fmt.Sprintf("%s %s. An apply of this policy fails with nothing written as long as that stands. "+
			"Change one of the two; where both change in one apply, let this policy wait for the other with depends_on.", named, m.what)
	default:
		problem.Detail = fmt.Sprintf("%s %s. %s", named, m.what, m.advice)
	}
	c.tell(Conflict{Problem: problem, Other: other, Movable: movable})
}

func (c *check) tell(conflict Conflict) {
	key := fmt.Sprint(conflict.Path, conflict.Summary)
	if conflict.Other != nil {
		key += idOf(conflict.Other)
	}
	if !c.told[key] {
		c.told[key] = true
		c.found = append(c.found, conflict)
	}
}

// foreign reports whether an object is nobody's of this provider. The label
// answers for nearly all objects; it may have been wiped from one of ours.
func (c *check) foreign(object *unstructured.Unstructured) bool {
	return object.GetLabels()[compile.LabelManagedBy] != compile.ProviderName && !c.Holder(object).Ours && !c.Holder(object).Own
}

func idOf(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// at is the path of an attribute below another.
func at(path []any, steps ...any) []any { return append(slices.Clone(path), steps...) }
