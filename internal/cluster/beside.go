package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Beside returns the objects that name the owner of a release and are not in
// it: an update whose process was killed has written them, and no state says so.
//
// It looks in the LISTs that Observe takes the release's objects from, which
// costs no request, and in those of further kinds that exist; where RBAC does not
// allow a LIST of all namespaces, in the namespaces of the release. After the
// first write of the process it sees nothing. The objects are shared: do not
// change them.
func (c *Client) Beside(ctx context.Context, release Release, further ...schema.GroupVersionKind) ([]*unstructured.Unstructured, error) {
	if c.Wrote() || release.Owner.Nonce == "" || len(release.Objects) == 0 {
		return nil, nil
	}
	own := make(map[manifest.ID]bool, len(release.Objects))
	where := make([]manifest.ID, 0, len(release.Objects)+len(further))
	for _, object := range release.Objects {
		own[object.ID()] = true
		where = append(where, object.ID())
	}
	for _, gvk := range further {
		where = append(where, idOf(gvk, where[0].Namespace, ""))
	}
	looked := map[*snapshot]bool{}
	var found []*unstructured.Unstructured
	for i, id := range where {
		snap, err := c.scoped(ctx, id.GVK, id.Namespace, selectorOf(id.GVK))
		if i >= len(release.Objects) && isNoKind(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if looked[snap] {
			continue
		}
		looked[snap] = true
		for _, e := range snap.byNonce[release.Owner.Nonce] {
			if !own[idOf(e.gvk, e.namespace, e.name)] {
				found = append(found, e.shared())
			}
		}
	}
	return found, nil
}
