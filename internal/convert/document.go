package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one custom resource while it is read.
type document struct {
	root     field
	problems Problems
}

// kind is what a custom resource says it is.
type kind struct{ apiVersion, kind string }

// read returns the one custom resource of a kind in a text: a YAML document, a
// stream of which all others are empty, or a List of one item as `kubectl get`
// prints it.
func read(text string, want kind) (*document, error) {
	nodes, err := documents(text)
	if err != nil {
		return nil, err
	}
	d := &document{}
	var found []field
	for _, node := range nodes {
		found = append(found, d.items(field{doc: d, node: node}, want)...)
	}
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	switch len(found) {
	case 0:
		return nil, Problems{{Text: fmt.Sprintf("there is no %s in the text", want.kind)}}
	case 1:
		d.root = found[0]
		d.root.path = ""
		d.is(want)
		return d, d.problems.err()
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, fmt.Sprint(f.line()))
	}
	return nil, Problems{{Text: fmt.Sprintf("there are %d objects in the text, at lines %s; give them one at a time: "+
		"{ for o in yamldecode(text).items : o.metadata.name => f(yamlencode(o)) } for a List, "+
		`[ for o in split("\n---\n", text) : f(o) ] for a stream`, len(found), strings.Join(lines, ", "))}}
}

// documents splits a stream, without empty documents.
func documents(text string) ([]*yaml.Node, error) {
	var nodes []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return nodes, nil
		}
		if err != nil {
			return nil, Problems{{Text: "the text is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}}
		}
		if len(node.Content) == 1 && node.Content[0].ShortTag() != nullTag {
			nodes = append(nodes, node.Content[0])
		}
	}
}

// items returns the objects of a document: itself, or the items of a List.
func (d *document) items(f field, want kind) []field {
	if f.node.Kind != yaml.MappingNode {
		f.fail("this is no Kubernetes object but %s", f.describe())
		return nil
	}
	if !slices.Contains([]string{"List", want.kind + "List"}, f.peek("kind")) {
		return []field{f}
	}
	list := f.object()
	list.ignore("apiVersion", "kind", "metadata")
	items := list.take("items").list()
	list.done()
	return items
}

// is checks apiVersion and kind of the root.
func (d *document) is(want kind) {
	if d.root.node.Kind != yaml.MappingNode {
		d.root.fail("this is no Kubernetes object but %s", d.root.describe())
		return
	}
	for _, check := range []struct{ name, want string }{{"kind", want.kind}, {"apiVersion", want.apiVersion}} {
		if got := d.root.peek(check.name); got != check.want {
			f, ok := d.root.child(check.name)
			if !ok {
				f = field{doc: d, node: d.root.node, path: check.name}
			}
			f.fail("%q, and only %s of %s is converted", got, want.kind, want.apiVersion)
		}
	}
}
