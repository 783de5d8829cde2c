package conflict

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// Input is a policy and what lives in the cluster.
type Input struct {
	Policy policy.Policy
	Mesh   compile.Mesh
	// Ports are the container ports that are known, as in `gateway_ports`.
	Ports map[string]int64
	// Objects are what the policy compiles to, with these ports, for a caller
	// that has them; nil lets Check compile it.
	Objects []manifest.Object
	// Prior is the policy that an update replaces, nil at create.
	Prior *policy.Policy
	Live  Live
	// Holder says whose a live object is. It is asked only about objects that
	// the policy may meet. It is never nil.
	Holder func(*unstructured.Unstructured) Holder
}

// Live are the live objects by kind, in any order. A kind that could not be
// read is empty. Objects that no policy can meet may be left out: see Keys.
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

// Add files an object under its kind; one of a kind that no rule is about is
// dropped.
func (l *Live) Add(object *unstructured.Unstructured) {
	switch object.GetKind() {
	case "VirtualService":
		l.VirtualServices = append(l.VirtualServices, object)
	case "ServiceEntry":
		l.ServiceEntries = append(l.ServiceEntries, object)
	case "DestinationRule":
		l.DestinationRules = append(l.DestinationRules, object)
	case "Gateway":
		l.Gateways = append(l.Gateways, object)
	case "Service":
		l.Services = append(l.Services, object)
	case "Sidecar":
		l.Sidecars = append(l.Sidecars, object)
	case "AuthorizationPolicy":
		l.AuthorizationPolicies = append(l.AuthorizationPolicies, object)
	}
}

// Secret is what is known of a Secret: never a value.
type Secret struct {
	Exists bool
	// Keys of its data that have a value.
	Keys []string
}

// Holder is whose an object is.
type Holder struct {
	// Own is an object of the policy itself.
	Own bool
	// Ours is an object of some instance of this provider.
	Ours bool
	// Planned is an object that does not live yet: another policy is planned
	// to have it in the same run.
	Planned bool
	// Name is the resource or the field managers, for people.
	Name string
}

// Conflict is one thing that the policy would meet.
type Conflict struct {
	compile.Problem
	// Other is the object that it would meet; nil where one is missing.
	Other *unstructured.Unstructured
	// Movable is a conflict with what may change earlier in the same run,
	// another policy or a Secret: a warning in a plan, and an error for who is
	// about to write.
	Movable bool
}

// Fatal reports whether the policy cannot be written as things are.
func (c Conflict) Fatal() bool { return c.Movable || !c.Warning }

// Check returns the conflicts of a valid policy, in the order of the kinds and
// of the configuration.
func Check(in Input) []Conflict {
	c := newCheck(in)
	if in.Objects == nil {
		c.Objects, _ = policy.Preview(in.Policy, in.Mesh, c.Ports)
	}
	c.objects = byKind(c.Objects)
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

// Between returns what a policy would meet if the other one lived already,
// each with the ports that it names itself.
func Between(p, other policy.Policy, mesh compile.Mesh) []Conflict {
	var live Live
	objects, _ := policy.Preview(other, mesh, known(nil, policy.Slots(other)))
	for _, object := range objects {
		live.Add(object.Body)
	}
	namespace, name := policy.Identity(other)
	holder := Holder{Ours: true, Name: "policy " + namespace + "/" + name}
	return Check(Input{Policy: p, Mesh: mesh, Live: live, Holder: func(*unstructured.Unstructured) Holder { return holder }})
}

type check struct {
	Input
	slots   []ports.Slot
	flows   []flow
	objects map[string][]manifest.Object
	found   []Conflict
	told    map[string]bool
}

func newCheck(in Input) *check {
	c := &check{Input: in, slots: policy.Slots(in.Policy), told: map[string]bool{}}
	c.Ports = known(in.Ports, c.slots)
	c.flows = flowsOf(in.Policy, c.slots, c.Ports)
	return c
}

// known adds the ports that the configuration names to those that are assigned.
func known(assigned map[string]int64, slots []ports.Slot) map[string]int64 {
	all, _ := ports.Keep(assigned, slots)
	return all
}

func byKind(objects []manifest.Object) map[string][]manifest.Object {
	kinds := map[string][]manifest.Object{}
	for _, object := range objects {
		kind := object.Body.GetKind()
		kinds[kind] = append(kinds[kind], object)
	}
	return kinds
}

// direct reports whether the policy has no gateway.
func (c *check) direct() bool { return c.Policy.ByEgressGateway == nil }

// denies reports whether workloads that the policy does not select shall have
// no way to its hosts.
func (c *check) denies() bool { return !c.direct() && c.Policy.UnselectedWorkloads != policy.Direct }

// meeting is a conflict before it is known whose the other object is.
type meeting struct {
	at      []any
	summary string
	// what the other object does, and what comes of it, as a predicate:
	// "routes ...".
	what string
	// advice is what to do about an object of somebody else.
	advice string
	// cure is what to do about one of another policy, a full sentence.
	cure string
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
	cure := or(m.cure, "Change one of the two policies.")
	movable := false
	switch {
	case holder.Planned:
		problem.Detail = fmt.Sprintf("As this run plans it, %s %s. %s", named, m.what, cure)
	case holder.Ours && m.warning:
		problem.Detail = fmt.Sprintf("%s %s. %s", named, m.what, cure)
	case holder.Ours:
		movable = true
		problem.Warning = true
		problem.Detail = fmt.Sprintf("%s %s. An apply of this policy fails with nothing written as long as that stands. "+
			"%s Where both change in one apply, let this policy wait for the other with depends_on.", named, m.what, cure)
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
	if labelled(object) {
		return false
	}
	holder := c.Holder(object)
	return !holder.Ours && !holder.Own && !holder.Planned
}

// labelled reports whether an object says that this provider wrote it.
func labelled(object *unstructured.Unstructured) bool {
	return text(object.Object, "metadata", "labels", compile.LabelManagedBy) == compile.ProviderName
}

func idOf(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// at is the path of an attribute below another.
func at(path []any, steps ...any) []any { return append(slices.Clone(path), steps...) }
