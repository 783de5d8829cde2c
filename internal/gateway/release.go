package gateway

import (
	"context"
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

// clear removes what a create that was killed has left of another
// configuration: objects of the release's owner that it does not have. It
// returns what exists, whatever the error.
func clear(ctx context.Context, client *cluster.Client, release cluster.Release) ([]manifest.Object, error) {
	own := map[manifest.ID]bool{}
	for _, object := range release.Objects {
		own[object.ID()] = true
	}
	var surplus []manifest.Object
	for _, kind := range workload.Kinds {
		found, err := client.Glance(ctx, kind, release.Objects[0].ID().Namespace, "")
		if err != nil {
			return release.Objects, err
		}
		for _, live := range found {
			owner, _ := cluster.OwnerOf(live)
			object, known := identityOnly(manifest.Key(kind.Kind, live.GetNamespace(), live.GetName()))
			if known && owner.Nonce == release.Owner.Nonce && !own[object.ID()] {
				surplus = append(surplus, object)
			}
		}
	}
	left, err := client.Delete(ctx, cluster.Release{Owner: release.Owner, Objects: surplus})
	if err != nil {
		return append(release.Objects, left...), err
	}
	return release.Objects, nil
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
