package convert

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// document is one custom resource while it is read.
type document struct {
	root     fields.Field
	problems fields.Problems
}

// kind is what a custom resource says it is.
type kind struct{ apiVersion, kind string }

// read returns the one custom resource of a kind in a text: a YAML document, a
// stream of which all others are empty, or a List of one item as `kubectl get`
// prints it.
func read(text string, want kind) (*document, error) {
	nodes, err := fields.Documents(text)
	if err != nil {
		return nil, err
	}
	d := &document{}
	var found []fields.Field
	for _, node := range nodes {
		found = append(found, d.items(fields.Root(&d.problems, node, ""), want)...)
	}
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	switch len(found) {
	case 0:
		return nil, fields.Problems{{Text: fmt.Sprintf("there is no %s in the text", want.kind)}}
	case 1:
		d.root = found[0]
		d.root.Path = ""
		d.is(want)
		return d, d.problems.Err()
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprint(f.Line()))
	}
	return nil, fields.Problems{{Text: fmt.Sprintf("there are %d objects in the text, at lines %s; give them one at a time: "+
		"{ for o in yamldecode(text).items : o.metadata.name => f(yamlencode(o)) } for a List, "+
		`[ for o in split("\n---\n", text) : f(o) ] for a stream`, len(found), strings.Join(lines, ", "))}}
}

// items returns the objects of a document: itself, or the items of a List.
func (d *document) items(f fields.Field, want kind) []fields.Field {
	if f.Node.Kind != yaml.MappingNode {
		f.Fail("this is no Kubernetes object but %s", f.Describe())
		return nil
	}
	if !slices.Contains([]string{"List", want.kind + "List"}, f.Peek("kind")) {
		return []fields.Field{f}
	}
	list := f.Object()
	list.Ignore("apiVersion", "kind", "metadata")
	items := list.Take("items").List()
	list.Done()
	return items
}

// is checks apiVersion and kind of the root.
func (d *document) is(want kind) {
	if d.root.Node.Kind != yaml.MappingNode {
		d.root.Fail("this is no Kubernetes object but %s", d.root.Describe())
		return
	}
	for _, check := range []struct{ name, want string }{{"kind", want.kind}, {"apiVersion", want.apiVersion}} {
		if got := d.root.Peek(check.name); got != check.want {
			f, ok := d.root.Child(check.name)
			if !ok {
				f = fields.Root(&d.problems, d.root.Node, check.name)
			}
			f.Fail("%q, and only %s of %s is converted", got, want.kind, want.apiVersion)
		}
	}
}
