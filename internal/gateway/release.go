package gateway

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// stateRelease returns the objects that a state stands for: what its intent
// compiles to, and what only the keys of `manifests` name, which an update
// that did not finish, or another version of the provider, has left behind.
// leftover has the keys of the latter.
func (r *Resource) stateRelease(state Model, owner cluster.Owner) (release cluster.Release, leftover map[string]bool) {
	objects := workload.Objects(state.Gateway, r.provider.Mesh)
	compiled := map[string]bool{}
	for _, object := range objects {
		compiled[object.Key] = true
	}
	leftover = map[string]bool{}
	for key := range values.Strings(state.Manifests) {
		if object, ok := identityOnly(key); ok && !compiled[key] {
			leftover[key] = true
			objects = append(objects, object)
		}
	}
	return cluster.Release{Owner: owner, Objects: objects}, leftover
}

// identityOnly returns an object that says nothing but who it is: what is left
// over is deleted, never compared.
func identityOnly(key string) (manifest.Object, bool) {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) != 3 {
		return manifest.Object{}, false
	}
	for _, kind := range workload.Kinds {
		if kind.Kind == parts[0] {
			body := &unstructured.Unstructured{Object: map[string]any{}}
			body.SetGroupVersionKind(kind)
			body.SetNamespace(parts[1])
			body.SetName(parts[2])
			return manifest.Object{Key: key, Stage: workload.LastStage, Body: body}, true
		}
	}
	return manifest.Object{}, false
}

// rendered returns the attribute `manifests` of objects.
func (r *Resource) rendered(objects []manifest.Object) types.Map {
	manifests := make(map[string]string, len(objects))
	for _, object := range objects {
		manifests[object.Key] = r.provider.Detail.Render(object.Body)
	}
	return values.Map(manifests)
}
