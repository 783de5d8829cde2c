package manifest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func staged(name string, stage int) Object {
	body := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	body.SetNamespace("ns")
	body.SetName(name)
	return Object{Key: name, Stage: stage, Body: body}
}

func shared(name string, stage int) Object {
	object := staged(name, stage)
	object.Shared = &Shared{}
	return object
}

// written prints a walk: groups in order, steps of a group joined by "+".
func written(walk [][]Step) string {
	var groups []string
	for _, group := range walk {
		var steps []string
		for _, step := range group {
			steps = append(steps, fmt.Sprintf("%c%s", "wnd"[step.Do], step.Object.Key))
		}
		slices.Sort(steps)
		groups = append(groups, strings.Join(steps, "+"))
	}
	return strings.Join(groups, " ")
}

func TestOrder(t *testing.T) {
	a, b, c, d, s := staged("a", 0), staged("b", 2), staged("c", 2), staged("d", 5), shared("s", 3)
	for name, test := range map[string]struct {
		walk [][]Step
		want string
	}{
		"creating":                       {Creating([]Object{d, b, s, a, c}), "wa wb+wc ws wd"},
		"deleting":                       {Deleting([]Object{a, s, b, c, d}), "dd db+dc da ds"},
		"nothing":                        {Updating(nil, nil, nil), ""},
		"updating":                       {Updating([]Object{a, b, s}, nil, []Object{a, d}), "wa wd db ds"},
		"narrowing, highest stage first": {Updating([]Object{a, b, d}, []Object{a, b, d}, []Object{a, b, d}), "nd nb na wa wb wd"},
		"removed at first":               {Updating([]Object{a, b, c, d}, []Object{b, d}, []Object{a, d}), "nd db wa wd dc"},
	} {
		if got := written(test.walk); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
