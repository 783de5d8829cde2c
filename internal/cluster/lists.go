package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// pageSize is kubectl's: a consistent LIST of a whole cluster in pages that
// neither side has to hold for long.
const pageSize = 500

// managedSelector selects what this provider made.
const managedSelector = compile.LabelManagedBy + "=" + compile.ProviderName

// snapshot is the answer to one LIST.
type snapshot struct {
	// forbidden is set where RBAC refuses the LIST; that too is asked once.
	forbidden bool
	items     []*entry
	byName    map[string]*entry // "namespace/name"
	byNonce   map[string][]*entry
	indexes   indexes
}

// entry is one object of a snapshot. The bytes are kept and decoded on
// demand: a decoded object is several times as large.
type entry struct {
	gvk       schema.GroupVersionKind
	raw       json.RawMessage
	labels    labels.Set
	name      string
	namespace string
	// nonce is that of the owner that it names, "" if it names none.
	nonce string

	once  sync.Once
	light *unstructured.Unstructured
}

// object decodes the whole object, anew at each call.
func (e *entry) object() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	// The bytes are part of a document that was decoded before.
	if err := object.UnmarshalJSON(e.typed()); err != nil {
		panic(fmt.Sprintf("cluster: item of a list does not decode: %v", err))
	}
	return object
}

// typed returns the bytes with apiVersion and kind, which the items of a
// built-in list do not carry.
func (e *entry) typed() []byte {
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(e.raw, &head) == nil && head.Kind != "" {
		return e.raw
	}
	prefix := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, e.gvk.GroupVersion().String(), e.gvk.Kind)
	return append([]byte(prefix), e.raw[1:]...)
}

// shared decodes the object without managedFields, once for all callers.
func (e *entry) shared() *unstructured.Unstructured {
	e.once.Do(func() {
		e.light = e.object()
		e.light.SetManagedFields(nil)
	})
	return e.light
}

// List returns the objects of a kind from the LIST that one walk shares:
// cluster-wide and unfiltered where RBAC allows it. After this process's
// first write it asks the server again. The objects are shared and without
// managedFields: do not change them. An empty namespace means all.
func (c *Client) List(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]*unstructured.Unstructured, error) {
	if c.Wrote() {
		items, err := c.collect(ctx, listKey{gvk: gvk, namespace: namespace, selector: labelSelector})
		if err != nil {
			return nil, err
		}
		found := make([]*unstructured.Unstructured, len(items))
		for i, e := range items {
			found[i] = e.shared()
		}
		return found, nil
	}
	return c.Glance(ctx, gvk, namespace, labelSelector)
}

func forbiddenList(gvk schema.GroupVersionKind, namespace string) error {
	resource := schema.GroupResource{Group: gvk.Group, Resource: kinds[gvk].plural}
	where := "in all namespaces"
	if namespace != "" {
		where = "in namespace " + namespace
	}
	return apierrors.NewForbidden(resource, "", fmt.Errorf("listing %s %s is not allowed", resource, where))
}

// scoped returns the widest snapshot that RBAC allows for a namespace:
// cluster-wide, else of that namespace, else one that says forbidden.
func (c *Client) scoped(ctx context.Context, gvk schema.GroupVersionKind, namespace, selector string) (*snapshot, error) {
	snap, err := c.snapshot(ctx, listKey{gvk: gvk, selector: selector})
	if err != nil || !snap.forbidden || namespace == "" {
		return snap, err
	}
	return c.snapshot(ctx, listKey{gvk: gvk, namespace: namespace, selector: selector})
}

// snapshot returns the process's one answer to a LIST, asking for it if this
// is the first call. Concurrent callers share the request. It ends with the
// time of the caller who began it; who has more time begins it anew.
func (c *Client) snapshot(ctx context.Context, key listKey) (*snapshot, error) {
	mine, bounded := ctx.Deadline()
	if !bounded {
		mine = time.Now().Add(defaultReads)
	}
	for {
		if snap := c.kept(key); snap != nil {
			return snap, nil
		}
		f := c.board(ctx, key, mine)
		landed := f.wait(ctx)
		c.leave(key, f)
		switch {
		case !landed:
			return nil, &OpError{
				Verb: "list", ID: idOf(key.gvk, key.namespace, ""), Host: c.host, Endpoint: c.endpoint, Err: notSent{context.Cause(ctx)},
			}
		case f.err == nil:
			return f.snap, nil
		case !IsUnreachable(f.err) || !mine.After(f.deadline):
			return nil, f.err
		}
	}
}

func (c *Client) kept(key listKey) *snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshots[key]
}

// load asks for a LIST and keeps the answer. That RBAC refuses it is one.
func (c *Client) load(ctx context.Context, key listKey) (*snapshot, error) {
	if snap := c.kept(key); snap != nil {
		return snap, nil
	}
	items, err := c.collect(ctx, key)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	snap := newSnapshot(items)
	snap.forbidden = err != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshots[key] = snap
	return snap, nil
}

func newSnapshot(items []*entry) *snapshot {
	snap := &snapshot{items: items, byName: make(map[string]*entry, len(items)), byNonce: map[string][]*entry{}}
	for _, e := range items {
		snap.byName[e.namespace+"/"+e.name] = e
		if e.nonce != "" {
			snap.byNonce[e.nonce] = append(snap.byNonce[e.nonce], e)
		}
	}
	return snap
}

// collect returns all items of a fresh LIST. A continue token that outlives
// etcd's compaction is answered with 410: the LIST begins anew.
func (c *Client) collect(ctx context.Context, key listKey) ([]*entry, error) {
	for restart := 0; ; restart++ {
		var items []*entry
		err := c.each(ctx, key, pageSize, func(e *entry) bool {
			items = append(items, e)
			return true
		})
		if !apierrors.IsResourceExpired(err) || restart == 3 {
			return items, err
		}
	}
}

// each calls visit with the items of a fresh LIST until it returns false. size is
// that of the first page; who has not found what is looked for there gets larger
// ones.
func (c *Client) each(ctx context.Context, key listKey, size int, visit func(*entry) bool) error {
	for token := ""; ; size = min(4*size, pageSize) {
		p, err := c.listPage(ctx, key, size, token)
		if err != nil {
			return err
		}
		for _, raw := range p.Items {
			e, err := newEntry(key.gvk, raw)
			if err != nil {
				return err
			}
			if !visit(e) {
				return nil
			}
		}
		if token = p.Metadata.Continue; token == "" {
			return nil
		}
	}
}

// newEntry reads what a snapshot is searched by.
func newEntry(gvk schema.GroupVersionKind, raw json.RawMessage) (*entry, error) {
	var head struct {
		Metadata struct {
			Name        string            `json:"name"`
			Namespace   string            `json:"namespace"`
			Labels      map[string]string `json:"labels"`
			Annotations struct {
				Owner string `json:"egress.meshegress.io/owner"` // AnnotationOwner
			} `json:"annotations"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Metadata.Name == "" {
		return nil, fmt.Errorf("%w: an item of the list of %s has no name", errBadBody, gvk.Kind)
	}
	m := head.Metadata
	e := &entry{gvk: gvk, raw: raw, labels: m.Labels, name: m.Name, namespace: m.Namespace}
	if m.Annotations.Owner != "" {
		owner, _ := ownerIn(map[string]string{AnnotationOwner: m.Annotations.Owner})
		e.nonce = owner.Nonce
	}
	return e, nil
}

// look is what a snapshot says about one object.
type look struct {
	// known is false where no LIST could say anything.
	known bool
	live  *unstructured.Unstructured
}

// hint looks an object up in the process's shared LISTs. What it says may be
// old: nothing may be decided by it that the server does not check again.
func (c *Client) hint(ctx context.Context, id manifest.ID, selector string) (look, error) {
	snap, err := c.scoped(ctx, id.GVK, id.Namespace, selector)
	if err != nil {
		return look{}, err
	}
	if snap.forbidden {
		return look{}, nil
	}
	if e := snap.byName[id.Namespace+"/"+id.Name]; e != nil {
		return look{known: true, live: e.object()}, nil
	}
	// A LIST by label does not see an object that has lost it.
	return look{known: selector == ""}, nil
}

// selectorOf returns the label selector by which a kind is listed.
func selectorOf(gvk schema.GroupVersionKind) string {
	if kinds[gvk].labelled {
		return managedSelector
	}
	return ""
}

// read returns the object as a walk sees it: from the shared LIST until the
// first write of this process, by a GET where that cannot say, nil if absent.
func (c *Client) read(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	if c.Wrote() {
		return c.Get(ctx, id)
	}
	seen, err := c.hint(ctx, id, selectorOf(id.GVK))
	if err != nil {
		return nil, err
	}
	if seen.known {
		return seen.live, nil
	}
	return c.Get(ctx, id)
}
