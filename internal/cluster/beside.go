package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Beside returns the objects that name the owner of a release and are not in
// it: an update whose process was killed has written them, and no state says so.
//
// It looks in the LISTs that Observe takes the release's objects from, so it
// costs no request, and sees the kinds of those objects; where RBAC does not
// allow a LIST of all namespaces, their namespaces. After the first write of the
// process it sees nothing. The objects are shared: do not change them.
func (c *Client) Beside(ctx context.Context, release Release) ([]*unstructured.Unstructured, error) {
	if c.Wrote() || release.Owner.Nonce == "" {
		return nil, nil
	}
	own := make(map[manifest.ID]bool, len(release.Objects))
	for _, object := range release.Objects {
		own[object.ID()] = true
	}
	looked := map[*snapshot]bool{}
	var found []*unstructured.Unstructured
	for _, object := range release.Objects {
		id := object.ID()
		snap, err := c.scoped(ctx, id.GVK, id.Namespace, selectorOf(id.GVK))
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
