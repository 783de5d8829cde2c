package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
		return nil, &OpError{Verb: "list", ID: idOf(gvk, namespace, ""), Host: c.host, Endpoint: c.endpoint, Err: forbiddenList(gvk, namespace)}
	}
	var found []*unstructured.Unstructured
	for _, e := range snap.items {
		if (namespace == "" || e.namespace == namespace) && selector.Matches(e.labels) {
			found = append(found, e.shared())
		}
	}
	return found, nil
}
