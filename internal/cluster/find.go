package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Index says under which keys the objects of a kind are found. It is known by
// its address: use one per question, for the life of the process.
type Index struct {
	// Keys are those of one object, which has neither managedFields nor a
	// status, and may not be kept.
	Keys func(*unstructured.Unstructured) []string
}

// Found is the answer of Find.
type Found struct {
	// Objects are shared and without managedFields: do not change them.
	Objects []*unstructured.Unstructured
	// Refused has, for each LIST that RBAC refused, the permission that is
	// missing. What it would have shown is not among Objects.
	Refused []string
}

// Find returns the objects of a kind that have one of the keys, as old as
// Glance's. It keeps only those decoded that somebody has asked for, so that
// looking for a few of many thousands costs little memory.
//
// Where RBAC does not allow a LIST of all namespaces, it looks in those given.
func (c *Client) Find(ctx context.Context, gvk schema.GroupVersionKind, index *Index, keys, namespaces []string) (Found, error) {
	var found Found
	snap, err := c.snapshot(ctx, listKey{gvk: gvk})
	if err != nil {
		return found, err
	}
	if !snap.forbidden {
		found.Objects = snap.find(index, keys)
		return found, nil
	}
	found.Refused = append(found.Refused, permission("list", gvk, ""))
	for _, namespace := range namespaces {
		snap, err := c.snapshot(ctx, listKey{gvk: gvk, namespace: namespace})
		if err != nil {
			return found, err
		}
		if snap.forbidden {
			found.Refused = append(found.Refused, permission("list", gvk, namespace))
			continue
		}
		found.Objects = append(found.Objects, snap.find(index, keys)...)
	}
	return found, nil
}

// permission names what RBAC does not grant.
func permission(verb string, gvk schema.GroupVersionKind, namespace string) string {
	resource := schema.GroupResource{Group: gvk.Group, Resource: kinds[gvk].plural}.String()
	if namespace == "" {
		return fmt.Sprintf("%s %s in all namespaces", verb, resource)
	}
	return fmt.Sprintf("%s %s in namespace %s", verb, resource, namespace)
}

// indexes are the indexes of one snapshot, made on demand.
type indexes struct {
	sync.Mutex
	made map[*Index]map[string][]*entry
}

// find returns the objects under the keys, each once.
func (s *snapshot) find(index *Index, keys []string) []*unstructured.Unstructured {
	made := s.indexed(index)
	seen := map[*entry]bool{}
	var found []*unstructured.Unstructured
	for _, key := range keys {
		for _, e := range made[key] {
			if !seen[e] {
				seen[e] = true
				found = append(found, e.shared())
			}
		}
	}
	return found
}

func (s *snapshot) indexed(index *Index) map[string][]*entry {
	s.indexes.Lock()
	defer s.indexes.Unlock()
	if made, ok := s.indexes.made[index]; ok {
		return made
	}
	made := map[string][]*entry{}
	for _, e := range s.items {
		keys := index.Keys(e.sketch())
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			made[key] = append(made[key], e)
		}
	}
	if s.indexes.made == nil {
		s.indexes.made = map[*Index]map[string][]*entry{}
	}
	s.indexes.made[index] = made
	return made
}

// sketch decodes what an index may look at. Most of an object's bytes are
// managedFields, and decoding those of every object of a mesh takes seconds.
func (e *entry) sketch() *unstructured.Unstructured {
	var body struct {
		Metadata struct {
			Labels      map[string]any `json:"labels"`
			Annotations map[string]any `json:"annotations"`
		} `json:"metadata"`
		Spec map[string]any `json:"spec"`
	}
	if err := json.Unmarshal(e.raw, &body); err != nil {
		// The bytes are part of a document that was decoded before.
		panic(fmt.Sprintf("cluster: item of a list does not decode: %v", err))
	}
	light := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{
			"name": e.name, "namespace": e.namespace, "labels": body.Metadata.Labels, "annotations": body.Metadata.Annotations,
		},
		"spec": body.Spec,
	}}
	light.SetGroupVersionKind(e.gvk)
	return light
}
