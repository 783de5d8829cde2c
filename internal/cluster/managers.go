package cluster

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// fieldOwners tells which manager owns a field of one live object.
type fieldOwners []managed

type managed struct {
	manager     string
	subresource string
	at          time.Time
	fields      *fieldpath.Set
}

// ours reports whether the entry is this provider's.
func (m managed) ours() bool {
	return m.manager == sharedManager || strings.HasPrefix(m.manager, compile.ProviderName+":")
}

// ownersOf reads managedFields. What does not parse is left out: it only ever
// names somebody.
func ownersOf(live *unstructured.Unstructured) fieldOwners {
	var owners fieldOwners
	for _, entry := range live.GetManagedFields() {
		if entry.FieldsV1 == nil {
			continue
		}
		m := managed{manager: entry.Manager, subresource: entry.Subresource, fields: &fieldpath.Set{}}
		if entry.Time != nil {
			m.at = entry.Time.Time
		}
		if m.fields.FromJSON(entry.FieldsV1.GetRawReader()) == nil {
			owners = append(owners, m)
		}
	}
	return owners
}

// of returns " (manager)" for a path of field names, empty if nobody else's.
func (o fieldOwners) of(fields ...string) string {
	steps := make([]step, len(fields))
	for i, field := range fields {
		steps[i] = step{field: field}
	}
	return o.ofSteps(steps)
}

// ofSteps returns " (manager)" of the other manager who owns the path most
// closely: Istio's lists are atomic, so often it is the list that is owned.
func (o fieldOwners) ofSteps(steps []step) string {
	return o.ofPaths(pathsOf(steps))
}

// ofPaths takes the spellings of one path.
func (o fieldOwners) ofPaths(paths []fieldpath.Path) string {
	best, depth := managed{}, 0
	for _, m := range o {
		if m.ours() {
			continue
		}
		for _, p := range paths {
			d := ownedDepth(m.fields, p)
			if d == 1 && len(p) > 1 {
				continue // the manager made the whole of spec, or of metadata, once
			}
			if d > depth || d == depth && d > 0 && m.at.After(best.at) {
				best, depth = m, d
			}
		}
	}
	if depth == 0 {
		return ""
	}
	return " (" + best.manager + ")"
}

// ownedDepth returns the length of the longest prefix that the set holds.
func ownedDepth(set *fieldpath.Set, p fieldpath.Path) int {
	for n := len(p); n > 0; n-- {
		if set.Has(p[:n]) {
			return n
		}
	}
	return 0
}

// pathsOf spells steps as managedFields may: an item of a list by index, or
// by its name where the list is a map by name (ServiceEntry's ports).
func pathsOf(steps []step) []fieldpath.Path {
	byIndex, byName := fieldpath.Path{}, fieldpath.Path{}
	for _, s := range steps {
		if s.field != "" {
			field := fieldpath.PathElement{FieldName: &s.field}
			byIndex, byName = append(byIndex, field), append(byName, field)
			continue
		}
		index := fieldpath.PathElement{Index: &s.index}
		byIndex = append(byIndex, index)
		if item, ok := s.item.(map[string]any); ok && item["name"] != nil {
			index = fieldpath.PathElement{Key: &value.FieldList{{Name: "name", Value: value.NewValueInterface(item["name"])}}}
		}
		byName = append(byName, index)
	}
	return []fieldpath.Path{byIndex, byName}
}
