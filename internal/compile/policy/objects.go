package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// Objects returns the objects of a policy by stage and key. assigned has, as
// `gateway_ports` does, the container port of each member of each slot; one
// that is missing is an error. The policy must be valid (see Validate).
//
// It is a function of its arguments alone, and the order of rules, sources,
// entries and hosts shows in nothing but the annotation AnnotationSpec.
func Objects(p Policy, mesh compile.Mesh, assigned map[string]int64) ([]manifest.Object, error) {
	l := newLayout(p, mesh)
	for _, s := range l.slots {
		if _, ok := s.Port(assigned); !ok {
			return nil, fmt.Errorf("entry %s has no port on the gateway yet", s.Key)
		}
	}
	return l.objects(assigned), nil
}

// Preview returns the objects as far as they are known before the ports are
// assigned: assigned may lack slots. pending holds the keys of the objects
// whose body contains a missing port; all keys are known.
func Preview(p Policy, mesh compile.Mesh, assigned map[string]int64) (objects []manifest.Object, pending map[string]bool) {
	l := newLayout(p, mesh)
	all, names := l.standIn(assigned)
	objects = l.objects(all)
	pending = map[string]bool{}
	for _, o := range objects {
		if len(names) > 0 && holdsStandIn(o.Body.Object, names) {
			pending[o.Key] = true
		}
	}
	return objects, pending
}

func (l *layout) objects(assigned map[string]int64) []manifest.Object {
	var all []manifest.Object
	if !l.direct() {
		for _, s := range l.slots {
			all = append(all, l.gateway(s, assigned[s.Key]))
		}
		all = append(all, l.upstreams()...)
		all = append(all, l.upstreamRules()...)
		all = append(all, l.service(assigned))
		all = append(all, l.authorizations()...)
		all = append(all, l.gatewayRoutes(assigned)...)
		all = append(all, l.clientRules(assigned)...)
		all = append(all, l.meshRoutes(assigned)...)
	}
	all = append(all, l.sources()...)
	sortObjects(all)
	return all
}

// sortObjects puts objects in the order of stages and keys.
func sortObjects(objects []manifest.Object) {
	slices.SortStableFunc(objects, func(a, b manifest.Object) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), strings.Compare(a.Key, b.Key))
	})
}

// standIn gives each slot that has no port a number beyond all ports, and
// returns the names of the Gateways that these numbers would make.
func (l *layout) standIn(assigned map[string]int64) (all map[string]int64, names map[string]bool) {
	all, names = map[string]int64{}, map[string]bool{}
	for i, s := range l.slots {
		port, ok := s.Port(assigned)
		if !ok {
			port = ports.Highest + 1 + int64(i)
			names[GatewayName(l.ref.Name, port)] = true
		}
		s.Set(all, port)
	}
	return all, names
}

// holdsStandIn reports whether a port that stands in for a missing one is
// part of a body: as a number (no other is beyond all ports), or in the name
// of a Gateway.
func holdsStandIn(value any, names map[string]bool) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, item := range value {
			if holdsStandIn(item, names) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, func(item any) bool { return holdsStandIn(item, names) })
	case int64:
		return value > ports.Highest
	case string:
		return names[value]
	}
	return false
}

// Identity returns the namespace and name by which a policy is known: the
// namespace is the gateway's, for a direct policy that of its first source.
func Identity(p Policy) (namespace, name string) {
	if p.ByEgressGateway != nil {
		return p.ByEgressGateway.Namespace, p.Name
	}
	if all := newLayout(p, compile.Mesh{}).namespaces(); len(all) > 0 {
		namespace = all[0]
	}
	return namespace, p.Name
}

// Spec returns the canonical JSON of a policy, which stands in AnnotationSpec
// of its Service (of its first ServiceEntry for a direct one).
func Spec(p Policy) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("policy: the intent is not JSON: %v", err))
	}
	return string(text)
}

// ParseSpec reads back what Spec wrote. What Spec was not given is null, as
// it was in the configuration.
func ParseSpec(text string) (Policy, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var p Policy
	if err := decoder.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("annotation %s: %w", compile.AnnotationSpec, err)
	}
	return p, nil
}
