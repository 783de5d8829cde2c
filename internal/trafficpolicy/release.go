package trafficpolicy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// stateRelease returns the objects that a state stands for: what its intent
// compiles to with its ports, and what an update that did not finish has left
// behind, which only the keys of `manifests` name. leftover has the keys of
// the latter. An owner without a nonce is completed by what the live objects
// name.
func (r *Resource) stateRelease(ctx context.Context, client *cluster.Client, state Model, owner cluster.Owner) (release cluster.Release, leftover map[string]bool, err error) {
	objects := written(policy.Preview(state.Policy, r.provider.Mesh, goPorts(state.GatewayPorts)))
	if owner.Nonce == "" {
		// Core destroys a tainted instance with the private state that was
		// planned for its successor, which is empty.
		seen, err := client.Observe(ctx, cluster.Release{Owner: owner, Objects: objects})
		if err != nil {
			return cluster.Release{}, nil, err
		}
		if seen.Owner.Nonce != "" {
			owner = seen.Owner
		}
	}
	left, err := r.leftovers(ctx, client, state, owner, objects)
	if err != nil {
		return cluster.Release{}, nil, err
	}
	leftover = map[string]bool{}
	for _, object := range left {
		leftover[object.Key] = true
	}
	return cluster.Release{Owner: owner, Objects: append(left, objects...)}, leftover, nil
}

// written drops the objects that depend on a port that is not reserved. They
// cannot exist: reservation comes before every other write.
func written(objects []manifest.Object, pending map[string]bool) []manifest.Object {
	var known []manifest.Object
	for _, object := range objects {
		if !pending[object.Key] {
			known = append(known, object)
		}
	}
	return known
}

// leftovers returns the objects that `manifests` names and the intent of the
// state does not have, and the Gateways of the owner on ports that the state
// does not know. Their bodies are identities only: what is left over is
// deleted, never compared.
func (r *Resource) leftovers(ctx context.Context, client *cluster.Client, state Model, owner cluster.Owner, objects []manifest.Object) ([]manifest.Object, error) {
	compiled := map[string]bool{}
	for _, object := range objects {
		compiled[object.Key] = true
		compiled[object.ID().String()] = true
	}
	var left []manifest.Object
	add := func(object manifest.Object) {
		if !compiled[object.Key] {
			compiled[object.Key] = true
			left = append(left, object)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values.Strings(state.Manifests))) {
		kind, namespace, name, ok := splitKey(key)
		if !ok || compiled[key] {
			continue
		}
		switch kind {
		case gatewayGVK.Kind:
			// Its key does not tell its port.
		case authorizationGVK.Kind:
			if shared, ok := r.sharedLeftover(state.Policy, namespace, name); ok {
				add(shared)
			}
		default:
			if gvk, known := kinds[kind]; known {
				add(identityOnly(gvk, namespace, name, objects))
			}
		}
	}
	if state.ByEgressGateway == nil {
		return left, nil
	}
	gateways, err := ownGateways(ctx, client, state.ByEgressGateway.Namespace, owner)
	for _, gateway := range gateways {
		add(identityOnly(gatewayGVK, gateway.GetNamespace(), gateway.GetName(), objects))
	}
	return left, err
}

// sharedLeftover returns the AuthorizationPolicy of a source namespace that
// the intent of the state does not have: who else uses it, only the compiler
// can say.
func (r *Resource) sharedLeftover(p policy.Policy, namespace, name string) (manifest.Object, bool) {
	if p.ByEgressGateway == nil || len(p.EgressRules) == 0 {
		return manifest.Object{}, false
	}
	// The name is made of a gateway and a namespace; either may contain what
	// joins them, so every way to split it is tried.
	joint := policy.FromName("", "")
	for at := range name {
		if !strings.HasPrefix(name[at:], joint) {
			continue
		}
		reference := *p.ByEgressGateway
		reference.Name, reference.Namespace = name[:at], namespace
		guess := p
		guess.ByEgressGateway = &reference
		guess.EgressRules = []policy.Rule{{
			From: []policy.From{{Namespace: name[at+len(joint):]}},
			To:   p.EgressRules[0].To,
		}}
		objects, _ := policy.Preview(guess, r.provider.Mesh, nil)
		for _, object := range objects {
			if object.Shared != nil && object.Body.GetName() == name {
				return object, true
			}
		}
	}
	return manifest.Object{}, false
}

// splitKey takes a key of the form "Kind/namespace/name" apart.
func splitKey(key string) (kind, namespace, name string, ok bool) {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// identityOnly returns an object that says nothing but who it is. It goes
// together with the object of the policy that it is most like.
func identityOnly(gvk schema.GroupVersionKind, namespace, name string, like []manifest.Object) manifest.Object {
	body := &unstructured.Unstructured{Object: map[string]any{}}
	body.SetGroupVersionKind(gvk)
	body.SetNamespace(namespace)
	body.SetName(name)
	object := manifest.Object{Key: manifest.Key(gvk.Kind, namespace, name), Body: body}
	for _, other := range like {
		if other.Body.GroupVersionKind() == gvk && (object.Stage == 0 || other.Body.GetNamespace() == namespace) {
			object.Stage = other.Stage
		}
	}
	return object
}
