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
	return snap.find(gvk, namespace, selector, c.host)
}

// find returns the objects of a snapshot that a LIST of a namespace would have.
func (s *snapshot) find(gvk schema.GroupVersionKind, namespace string, selector labels.Selector, host string) ([]*unstructured.Unstructured, error) {
	if s.forbidden {
		return nil, &OpError{Verb: "list", ID: idOf(gvk, namespace, ""), Host: host, Err: forbiddenList(gvk, namespace)}
	}
	var found []*unstructured.Unstructured
	for _, e := range s.items {
		if (namespace == "" || e.namespace == namespace) && selector.Matches(e.labels) {
			found = append(found, e.shared())
		}
	}
	return found, nil
}
