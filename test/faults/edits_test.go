package faults

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// place is a field in an object: names of fields and indexes of lists.
type place []any

func (p place) String() string {
	var text strings.Builder
	for _, step := range p {
		fmt.Fprintf(&text, ".%v", step)
	}
	return text.String()
}

// get returns what is at a place, and with what it is replaced or removed.
func (p place) get(tree any) (found any, set func(any)) {
	for _, step := range p {
		parent := tree
		switch step := step.(type) {
		case string:
			node, _ := parent.(map[string]any)
			tree, set = node[step], func(v any) {
				if v == nil {
					delete(node, step)
				} else if node != nil {
					node[step] = v
				}
			}
		case int:
			node, _ := parent.([]any)
			if step >= len(node) {
				return nil, nil
			}
			tree, set = node[step], func(v any) {
				if v != nil {
					node[step] = v
				}
			}
		}
	}
	return tree, set
}

// written returns every place of an object that the provider writes, down to
// single values: those of its managedFields, and within atomic lists and maps
// what is in them. What says whose the object is stands in the rows of objects
// that are another's.
func written(live *unstructured.Unstructured) []place {
	var places []place
	for _, entry := range live.GetManagedFields() {
		if !strings.HasPrefix(entry.Manager, compile.ProviderName) || entry.FieldsV1 == nil || entry.Subresource != "" {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			panic(err)
		}
		set.Leaves().Iterate(func(path fieldpath.Path) {
			if at, ok := locate(live.Object, path); ok {
				places = append(places, within(live.Object, at)...)
			}
		})
	}
	places = slices.DeleteFunc(places, func(p place) bool {
		key := fmt.Sprint(p[len(p)-1])
		return key == cluster.AnnotationOwner || key == compile.LabelManagedBy
	})
	sort.Slice(places, func(i, j int) bool { return places[i].String() < places[j].String() })
	return slices.CompactFunc(places, func(a, b place) bool { return a.String() == b.String() })
}

// locate finds a path of managedFields in an object.
func locate(tree any, path fieldpath.Path) (place, bool) {
	var at place
	for _, step := range path {
		switch {
		case step.FieldName != nil:
			node, ok := tree.(map[string]any)
			if !ok {
				return nil, false
			}
			at, tree = append(at, *step.FieldName), node[*step.FieldName]
		case step.Key != nil:
			list, _ := tree.([]any)
			i := slices.IndexFunc(list, func(item any) bool { return hasKey(item, *step.Key) })
			if i < 0 {
				return nil, false
			}
			at, tree = append(at, i), list[i]
		default: // an element of a set: with the list
			return at, true
		}
	}
	return at, true
}

func hasKey(item any, key value.FieldList) bool {
	node, _ := item.(map[string]any)
	for _, field := range key {
		if fmt.Sprint(node[field.Name]) != fmt.Sprint(field.Value.Unstructured()) {
			return false
		}
	}
	return true
}

// within returns the places of single values at and below a place.
func within(tree any, at place) []place {
	found, _ := at.get(tree)
	var places []place
	switch found := found.(type) {
	case map[string]any:
		for key := range found {
			places = append(places, within(tree, append(slices.Clone(at), key))...)
		}
	case []any:
		for i := range found {
			places = append(places, within(tree, append(slices.Clone(at), i))...)
		}
	case nil:
	default:
		places = append(places, at)
	}
	return places
}

// words stand in for a value where only some are admitted.
var words = []any{"ALLOW_ANY", "REGISTRY_ONLY", "DNS", "TLS", "HTTP", "SIMPLE", "DISABLE", "MESH_INTERNAL", "DENY"}

// otherThan returns values to try in the place of one, nil (take it out) last.
func otherThan(v any, istio bool) []any {
	switch v := v.(type) {
	case string:
		if istio {
			return append(append([]any{v + "x", "x" + v}, words...), nil)
		}
		return []any{v + "x", "1" + v, nil}
	case bool:
		return []any{!v, nil}
	case int64:
		return []any{v + 1, max(v-1, 1), nil}
	case float64:
		return []any{v + 1, nil}
	}
	return []any{nil}
}

// another writes another value to a place, as somebody else. What the server
// refuses, or takes for the same, is no edit: then false.
func (c *cell) another(o object, at place) bool {
	for {
		conflict := false
		live := c.get(o)
		now, _ := at.get(live.Object)
		for _, v := range otherThan(now, strings.HasSuffix(o.kind.Group, ".istio.io")) {
			changed := live.DeepCopy()
			_, set := at.get(changed.Object)
			if v == now || set == nil {
				continue
			}
			set(v)
			after, err := c.client(o).Update(context.Background(), changed, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
			if err != nil && strings.Contains(err.Error(), "the object has been modified") {
				conflict = true
				break
			}
			if err == nil && differs(live, after) != "" {
				return true
			}
		}
		if !conflict {
			return false
		}
	}
}

// differs says where two versions of an object do not say the same; nothing if they do.
func differs(a, b *unstructured.Unstructured) string {
	strip := func(u *unstructured.Unstructured) map[string]any {
		u = u.DeepCopy()
		u.SetManagedFields(nil)
		u.SetResourceVersion("")
		u.SetGeneration(0)
		// The Deployment's controller counts its revisions there.
		unstructured.RemoveNestedField(u.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
		delete(u.Object, "status")
		return u.Object
	}
	return cmp.Diff(strip(a), strip(b))
}

// edited goes through every place of one object that the provider writes: the
// plan shows each edit, and where the operation is an update, the apply repairs
// it; else the object is put back.
func (c *cell) edited() {
	o, ok := c.picked()
	if !ok {
		return
	}
	edits, refused := 0, 0
	for _, at := range written(c.get(o)) {
		before := c.get(o)
		if !c.another(o, at) {
			refused++
			continue
		}
		edits++
		plan, diags := c.ws.Plan(c.ctx, c.config(c.after, false))
		if len(diags.Errors()) > 0 {
			c.problem("%s%s: the plan says: %s", o, at, diags)
			return
		}
		if plan.Action != core.Update || len(c.ws.Strings("drift")) == 0 {
			c.problem("%s%s was edited, and the plan is %s, drift %v", o, at, plan.Action, c.ws.Strings("drift"))
		}
		if c.op == update {
			if diags := c.ws.Execute(c.ctx, plan, c.config(c.after, false)); len(diags.Errors()) > 0 {
				c.problem("%s%s: the repair says: %s", o, at, diags)
				return
			}
			if text := differs(before, c.get(o)); text != "" {
				c.problem("%s%s is not repaired (-before +after):\n%s", o, at, text)
			}
			continue
		}
		c.edit(o, func(live *unstructured.Unstructured) {
			version := live.GetResourceVersion()
			live.Object = before.DeepCopy().Object
			live.SetResourceVersion(version)
		})
	}
	c.edits, c.refused = edits, refused
	if edits == 0 {
		c.problem("no edit of %s was possible", o)
	}
}

// everyEdit is the row of foreign edits on every path.
func everyEdit() *fault {
	return &fault{
		row: rowDrift, name: "every path edited, one after the other", of: owning, each: perObject,
		on: map[operation]outcome{read: succeeds, update: succeeds}, arrange: (*cell).edited, edits: true,
	}
}
