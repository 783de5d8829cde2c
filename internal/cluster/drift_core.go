package cluster

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// converter knows the list types of every built-in kind, compiled in. Parsing
// them takes longer than all else that happens when the process starts, and a
// CLI starts the provider several times in one command: only who compares pays.
var converter = sync.OnceValue(func() managedfields.TypeConverter {
	return applyconfigurations.NewTypeConverter(scheme.Scheme)
})

// compareCore compares exactly the fields that the desired object has: the
// server fills in many others. Of what others added it counts what changes
// whom the object selects, or what runs in its pods.
func compareCore(desired, live *unstructured.Unstructured) comparison {
	want, err := typedDesired(desired)
	if err != nil {
		return unreadable(desired, err)
	}
	have, err := converter().ObjectToTyped(live, typed.AllowDuplicates)
	if err != nil {
		return unreadable(desired, err)
	}
	fields, err := want.ToFieldSet()
	if err != nil {
		return unreadable(desired, err)
	}
	owners := ownersOf(live)
	extracted := have.ExtractItems(fields)
	differences, err := coreDifferences(want, extracted, live)
	if err != nil {
		return unreadable(desired, err)
	}
	added := additions(desired, live, have, fields, owners)
	if len(differences) == 0 && added.Empty() {
		return comparison{projected: desired.DeepCopy()}
	}

	result := comparison{}
	for _, d := range differences {
		result.lines = append(result.lines, d.line(owners))
	}
	added.Iterate(func(p fieldpath.Path) {
		addition := pathDifference{path: slices.Clone(p), have: valueAt(live.Object, p)}
		result.lines = append(result.lines, addition.line(owners))
	})
	projected := have.ExtractItems(fields.Union(added))
	result.projected = &unstructured.Unstructured{Object: asMap(projected.AsValue())}
	if !added.Empty() {
		result.cleaned = &unstructured.Unstructured{Object: asMap(have.RemoveItems(added).AsValue())}
		if merged, err := have.RemoveItems(added).Merge(want); err == nil {
			result.replaced = &unstructured.Unstructured{Object: asMap(merged.AsValue())}
		}
	}
	return result
}

// unreadable is the verdict on objects that cannot be compared; it is shown
// as drift, since no other answer is safe.
func unreadable(desired *unstructured.Unstructured, err error) comparison {
	return comparison{
		projected: &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": desired.GetAPIVersion(), "kind": desired.GetKind(),
		}},
		lines: []string{fmt.Sprintf("%s: cannot be compared: %v", desired.GetKind(), err)},
	}
}

// typedDesired returns the desired object as the server would print its
// fields: quantities in canonical form ("0.1" is "100m").
func typedDesired(desired *unstructured.Unstructured) (*typed.TypedValue, error) {
	exact, err := converter().ObjectToTyped(desired)
	if err != nil {
		return nil, err
	}
	fields, err := exact.ToFieldSet()
	if err != nil {
		return nil, err
	}
	object, err := scheme.Scheme.New(desired.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(desired.Object, object); err != nil {
		return nil, err
	}
	printed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	normal, err := converter().ObjectToTyped(&unstructured.Unstructured{Object: printed})
	if err != nil {
		return nil, err
	}
	// The typed struct prints empty fields too; only those that were asked for count.
	kept := normal.ExtractItems(fields)
	kept.AsValue().AsMap().Set("apiVersion", value.NewValueInterface(desired.GetAPIVersion()))
	kept.AsValue().AsMap().Set("kind", value.NewValueInterface(desired.GetKind()))
	return kept, nil
}

// pathDifference is a path of a built-in kind at which two objects differ.
type pathDifference struct {
	path       fieldpath.Path
	have, want any
}

func (d pathDifference) line(owners fieldOwners) string {
	have, want := absent, absent
	if d.have != nil {
		have = show(d.have) + owners.ofPaths([]fieldpath.Path{d.path})
	}
	if d.want != nil {
		want = show(d.want)
	}
	return fmt.Sprintf("%s: %s -> %s", strings.TrimPrefix(d.path.String(), "."), have, want)
}

// coreDifferences returns where the live fields are not the desired ones.
func coreDifferences(want, have *typed.TypedValue, live *unstructured.Unstructured) ([]pathDifference, error) {
	found, err := want.Compare(have)
	if err != nil {
		return nil, err
	}
	wantTree, haveTree := asMap(want.AsValue()), live.Object
	var differences []pathDifference
	found.Removed.Union(found.Modified).Union(found.Added).Iterate(func(p fieldpath.Path) {
		path := slices.Clone(p)
		for _, d := range differences {
			if len(d.path) < len(path) && d.path.Equals(path[:len(d.path)]) {
				return // its parent is told already
			}
		}
		w, h := valueAt(wantTree, path), valueAt(haveTree, path)
		if !sameButDefaults(h, w) {
			differences = append(differences, pathDifference{path: path, have: h, want: w})
		}
	})
	return differences, nil
}

// defaults are the values that the server adds inside lists and structs which
// are atomic to server-side apply, so that the field set cannot tell them
// apart (k8s.io/kubernetes pkg/apis/*/v1/defaults.go).
var defaults = map[string][]any{
	"apiVersion":        {"v1"},                            // fieldRef
	"apiGroup":          {"", "rbac.authorization.k8s.io"}, // subjects, roleRef
	"protocol":          {"TCP"},                           // ports of a NetworkPolicy
	"defaultMode":       {int64(420)},
	"expirationSeconds": {int64(3600)},
	"divisor":           {"0"}, // resourceFieldRef
}

// sameButDefaults compares two values inside an atomic field.
func sameButDefaults(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for key, value := range want {
			if h, ok := have[key]; !ok || !sameButDefaults(h, value) {
				return false
			}
		}
		for key, value := range have {
			if _, ok := want[key]; !ok && !slices.Contains(defaults[key], value) {
				return false
			}
		}
		return true
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for i := range want {
			if !sameButDefaults(have[i], want[i]) {
				return false
			}
		}
		return true
	}
	return have == want
}

// asMap returns the tree of a typed value.
func asMap(v value.Value) map[string]any {
	tree, _ := v.Unstructured().(map[string]any)
	return tree
}

// valueAt returns the value at a path, nil if there is none.
func valueAt(tree any, path fieldpath.Path) any {
	for _, element := range path {
		switch {
		case element.FieldName != nil:
			fields, ok := tree.(map[string]any)
			if !ok {
				return nil
			}
			tree = fields[*element.FieldName]
		case element.Key != nil:
			tree = itemWith(tree, *element.Key)
		case element.Value != nil:
			return (*element.Value).Unstructured()
		case element.Index != nil:
			items, ok := tree.([]any)
			if !ok || *element.Index >= len(items) {
				return nil
			}
			tree = items[*element.Index]
		}
	}
	return tree
}

// itemWith returns the item of a list that has the key's fields; a field that
// the item leaves out counts as its default.
func itemWith(list any, key value.FieldList) any {
	items, _ := list.([]any)
	for _, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			continue
		}
		matches := true
		for _, field := range key {
			have, ok := fields[field.Name]
			want := field.Value.Unstructured()
			matches = matches && (ok && fmt.Sprint(have) == fmt.Sprint(want) || !ok && slices.Contains(defaults[field.Name], want))
		}
		if matches {
			return item
		}
	}
	return nil
}
