package cluster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Survey is every object of some kinds, in all namespaces: one LIST per kind,
// however many releases are compared with it.
type Survey struct {
	snapshots map[schema.GroupVersionKind]*snapshot
}

// Survey lists the kinds. Until this process's first write these are the LISTs
// of its walk, afterwards fresh ones. That RBAC refuses one is an error: what
// is not seen must not pass for absent.
func (c *Client) Survey(ctx context.Context, gvks ...schema.GroupVersionKind) (*Survey, error) {
	lists := make([]*snapshot, len(gvks))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, gvk := range gvks {
		group.Go(func() (err error) {
			if lists[i], err = c.latest(groupCtx, listKey{gvk: gvk}); err == nil && lists[i].forbidden {
				err = c.listForbidden(gvk, "")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s := &Survey{snapshots: map[schema.GroupVersionKind]*snapshot{}}
	for i, gvk := range gvks {
		s.snapshots[gvk] = lists[i]
	}
	return s, nil
}

// SurveyOf is a survey of objects that somebody has brought, such as those of a
// file, in the form that the API server gives them.
func SurveyOf(objects ...*unstructured.Unstructured) (*Survey, error) {
	items := map[schema.GroupVersionKind][]*entry{}
	for _, object := range objects {
		raw, err := json.Marshal(object.Object)
		if err != nil {
			return nil, err
		}
		gvk := object.GroupVersionKind()
		e, err := newEntry(gvk, raw)
		if err != nil {
			return nil, err
		}
		items[gvk] = append(items[gvk], e)
	}
	s := &Survey{snapshots: map[schema.GroupVersionKind]*snapshot{}}
	for gvk, entries := range items {
		s.snapshots[gvk] = newSnapshot(entries)
	}
	return s, nil
}

// latest returns the snapshot of a LIST as List would have it.
func (c *Client) latest(ctx context.Context, key listKey) (*snapshot, error) {
	if !c.Wrote() {
		return c.snapshot(ctx, key)
	}
	items, err := c.collect(ctx, key)
	if err != nil {
		return nil, err
	}
	return newSnapshot(items), nil
}

// Marked is an object that this provider made, or that says so.
type Marked struct {
	ID          manifest.ID
	Labels      map[string]string
	Annotations map[string]string
	// Owner is what its annotation names; Owned is false if that is missing or
	// does not read.
	Owner Owner
	Owned bool
}

// Marked returns the objects of a kind that carry the label or an annotation of
// this provider, by namespace and name.
func (s *Survey) Marked(gvk schema.GroupVersionKind) []Marked {
	snap := s.snapshots[gvk]
	if snap == nil {
		return nil
	}
	var found []Marked
	for _, e := range snap.items {
		// Most objects of a mesh are not ours, and decoding is what costs.
		if e.labels[compile.LabelManagedBy] != compile.ProviderName && !bytes.Contains(e.raw, []byte(compile.Prefix)) {
			continue
		}
		var head struct {
			Metadata struct {
				Annotations map[string]string `json:"annotations"`
			} `json:"metadata"`
		}
		if json.Unmarshal(e.raw, &head) != nil {
			continue // the bytes are part of a document that was decoded before
		}
		m := Marked{ID: idOf(gvk, e.namespace, e.name), Labels: e.labels, Annotations: head.Metadata.Annotations}
		m.Owner, m.Owned = ownerIn(m.Annotations)
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b Marked) int {
		return cmp.Or(strings.Compare(a.ID.Namespace, b.ID.Namespace), strings.Compare(a.ID.Name, b.ID.Name))
	})
	return found
}

// Get returns an object of the survey, decoded anew; nil if there is none.
func (s *Survey) Get(id manifest.ID) *unstructured.Unstructured {
	snap := s.snapshots[id.GVK]
	if snap == nil {
		return nil
	}
	e := snap.byName[id.Namespace+"/"+id.Name]
	if e == nil {
		return nil
	}
	return e.object()
}

// Observe is Client.Observe on what the survey holds.
func (s *Survey) Observe(release Release) Observation {
	found := make([]*unstructured.Unstructured, len(release.Objects))
	for i, object := range release.Objects {
		found[i] = s.Get(object.ID())
	}
	return observed(release, found)
}
