package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// origins says from which field an attribute comes, by the dotted path of the
// attribute. What stands below the attribute has the same names below the
// field, in camel case.
type origins map[string]string

// add records the errors of the compiler at the fields that they are about.
// Its warnings come again where the attributes are used.
func (o origins) add(d *document, problems []compile.Problem) {
	for _, problem := range problems {
		if problem.Warning {
			continue
		}
		path, line := o.locate(d, problem.Path)
		d.problems = append(d.problems, fields.Problem{
			Path: path, Line: line,
			Text: strings.TrimSuffix(problem.Summary+": "+problem.Detail, "."),
		})
	}
}

// locate returns the field that an attribute comes from, and its line or that
// of the closest field around it.
func (o origins) locate(d *document, attribute []any) (string, int) {
	steps, rest := o.split(attribute)
	at, line := d.root, d.root.Line()
	path := ""
	follow := func(step any) {
		child, ok := at.Child(step)
		if name, isName := step.(string); !ok && isName {
			step = fields.CamelCase(name)
			child, ok = at.Child(step)
		}
		switch step := step.(type) {
		case string:
			path = fields.Join(path, step)
		case int:
			path = fmt.Sprintf("%s[%d]", path, step)
		}
		at = child
		if ok {
			line = child.Line()
		}
	}
	for _, step := range steps {
		follow(step)
	}
	for _, step := range rest {
		follow(step)
	}
	return path, line
}

// split replaces the longest beginning of an attribute's path that has an
// origin of its own.
func (o origins) split(attribute []any) (steps []string, rest []any) {
	names := slices.IndexFunc(attribute, func(step any) bool { _, isName := step.(string); return !isName })
	if names < 0 {
		names = len(attribute)
	}
	for ; names > 0; names-- {
		var beginning []string
		for _, step := range attribute[:names] {
			beginning = append(beginning, step.(string)) //nolint:forcetypeassert // counted above
		}
		if origin, ok := o[strings.Join(beginning, ".")]; ok {
			return strings.Split(origin, "."), attribute[names:]
		}
	}
	return []string{"spec"}, attribute
}
