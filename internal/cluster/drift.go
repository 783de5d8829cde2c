package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

const (
	// absent stands in a drift line for a value that is not there.
	absent = "(absent)"
	// shownBytes is the length of a value in a drift line.
	shownBytes = 100
	// shownLines is how many lines of one object are told: state is rewritten
	// with each step of an apply, so its size is time.
	shownLines = 12
)

// comparison is what compare found.
type comparison struct {
	projected *unstructured.Unstructured
	lines     []string
	// cleaned is the live object without the additions that count as drift;
	// nil if there are none. It carries the live resourceVersion.
	cleaned *unstructured.Unstructured
	// replaced is cleaned with the desired values in it.
	replaced *unstructured.Unstructured
}

// text returns the lines as one value of the attribute `drift`.
func (c comparison) text() string {
	lines := c.lines
	if len(lines) > shownLines {
		more := len(lines) - shownLines
		lines = append(slices.Clone(lines[:shownLines]), fmt.Sprintf("... and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// compare tells how the live object differs from the desired one.
//
// The desired object is the measure, not managedFields: a foreign edit takes
// a field out of ours, so a projection by owner is blind to just the edits
// that matter.
func compare(object manifest.Object, live *unstructured.Unstructured) comparison {
	if object.Shared != nil && newer(object, live) {
		return comparison{projected: object.Body.DeepCopy()}
	}
	if kinds[object.Body.GroupVersionKind()].istio {
		return compareIstio(object.Body, live)
	}
	return compareCore(object.Body, live)
}

// compareMetadata compares our labels and annotations, and nobody else's. It
// sets them in projected as they are live.
func compareMetadata(desired, live, projected *unstructured.Unstructured, owners fieldOwners) []string {
	var lines []string
	project := func(field string, want, have map[string]string, set func(map[string]string)) {
		if len(want) == 0 {
			return
		}
		kept := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, ok := have[key]
			if ok {
				kept[key] = value
			}
			if ok && value == want[key] {
				continue
			}
			was := absent
			if ok {
				was = show(value) + owners.of("metadata", field, key)
			}
			lines = append(lines, fmt.Sprintf("metadata.%s[%q]: %s -> %s", field, key, was, show(want[key])))
		}
		set(kept)
	}
	project("labels", desired.GetLabels(), live.GetLabels(), projected.SetLabels)
	project("annotations", desired.GetAnnotations(), live.GetAnnotations(), projected.SetAnnotations)
	return lines
}

// show prints a value for a drift line.
func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	if len(text) <= shownBytes {
		return string(text)
	}
	// Cut at a rune, so that the state stays valid UTF-8.
	cut := strings.ToValidUTF8(string(text[:shownBytes]), "")
	return cut + "..."
}

// step is one step of a path into an object: the name of a field, or the
// index of an item with the item itself.
type step struct {
	field string
	index int
	item  any
}

// path prints steps as `spec.http[0].route`.
func path(steps []step) string {
	var text strings.Builder
	for i, s := range steps {
		switch {
		case s.field == "":
			fmt.Fprintf(&text, "[%d]", s.index)
		case strings.ContainsAny(s.field, "./"):
			fmt.Fprintf(&text, "[%q]", s.field)
		case i > 0:
			text.WriteString("." + s.field)
		default:
			text.WriteString(s.field)
		}
	}
	return text.String()
}

// difference is one path at which two trees differ. A nil side is absent.
type difference struct {
	path       []step
	have, want any
}

// differ walks two JSON trees.
func differ(at []step, have, want any) []difference {
	switch want := want.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			return differMaps(at, have, want)
		}
	case []any:
		if have, ok := have.([]any); ok {
			return differLists(at, have, want)
		}
	default:
		if have == want {
			return nil
		}
	}
	return []difference{{path: at, have: have, want: want}}
}

func differMaps(at []step, have, want map[string]any) []difference {
	keys := map[string]bool{}
	for key := range have {
		keys[key] = true
	}
	for key := range want {
		keys[key] = true
	}
	var found []difference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		below := append(slices.Clone(at), step{field: key})
		h, has := have[key]
		w, wants := want[key]
		if has && wants {
			found = append(found, differ(below, h, w)...)
		} else {
			found = append(found, difference{path: below, have: h, want: w})
		}
	}
	return found
}

func differLists(at []step, have, want []any) []difference {
	var found []difference
	for i := range max(len(have), len(want)) {
		var h, w any
		if i < len(have) {
			h = have[i]
		}
		if i < len(want) {
			w = want[i]
		}
		below := append(slices.Clone(at), step{index: i, item: h})
		if i < len(have) && i < len(want) {
			found = append(found, differ(below, h, w)...)
		} else {
			found = append(found, difference{path: below, have: h, want: w})
		}
	}
	return found
}

// line prints a difference.
func (d difference) line(owners fieldOwners) string {
	have, want := absent, absent
	if d.have != nil {
		have = show(d.have) + owners.ofSteps(d.path)
	}
	if d.want != nil {
		want = show(d.want)
	}
	return fmt.Sprintf("%s: %s -> %s", path(d.path), have, want)
}
