package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ListExactly asks for the objects of a kind in one namespace that carry
// labels, and for no others. It is for what is looked at once: of kinds that
// clusters hold many of, List would bring all.
func (c *Client) ListExactly(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]*unstructured.Unstructured, error) {
	items, err := c.collect(ctx, listKey{gvk: gvk, namespace: namespace, selector: labelSelector})
	if err != nil {
		return nil, err
	}
	found := make([]*unstructured.Unstructured, len(items))
	for i, e := range items {
		found[i] = e.object()
	}
	return found, nil
}
