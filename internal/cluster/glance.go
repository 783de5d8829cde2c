package cluster

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Glance is List for who can do with an old answer: what this process saw
// when it first listed the kind, however much was written since. It finds what
// stood there before, and spares N instances N LISTs of what the N-1 others
// have just made. Nothing may be decided by it that a write does not check.
func (c *Client) Glance(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]*unstructured.Unstructured, error) {
	selector, err := labels.Parse(labelSelector)
	if err != nil {
		return nil, err
	}
	snap, err := c.scoped(ctx, gvk, namespace, "")
	if err != nil {
		return nil, err
	}
	if snap.forbidden {
		return nil, c.listForbidden(gvk, namespace)
	}
	var found []*unstructured.Unstructured
	for _, e := range snap.items {
		if (namespace == "" || e.namespace == namespace) && selector.Matches(e.labels) {
			found = append(found, e.shared())
		}
	}
	return found, nil
}

// GlanceAt is Glance for the objects that have one of the keys: it does not
// look at the others, so that N instances which ask for what is theirs among
// the objects of all N cost N looks and not N times N.
func (c *Client) GlanceAt(ctx context.Context, gvk schema.GroupVersionKind, namespace string, index *Index, keys ...string) ([]*unstructured.Unstructured, error) {
	snap, err := c.scoped(ctx, gvk, namespace, "")
	if err != nil {
		return nil, err
	}
	if snap.forbidden {
		return nil, c.listForbidden(gvk, namespace)
	}
	return slices.DeleteFunc(snap.find(index, keys), func(object *unstructured.Unstructured) bool {
		return namespace != "" && object.GetNamespace() != namespace
	}), nil
}

// GlanceObject is Glance for one object, with its managedFields: nil if there
// is none. Where RBAC does not allow the LIST, and after this process's first
// write, it asks for the object.
func (c *Client) GlanceObject(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	return c.read(ctx, id)
}

func (c *Client) listForbidden(gvk schema.GroupVersionKind, namespace string) error {
	return &OpError{Verb: "list", ID: idOf(gvk, namespace, ""), Host: c.host, Endpoint: c.endpoint, Err: forbiddenList(gvk, namespace)}
}
