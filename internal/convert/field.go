package convert

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Short tags of the YAML core schema.
const (
	nullTag  = "!!null"
	textTag  = "!!str"
	timeTag  = "!!timestamp" // a date without quotes, which is text to Kubernetes
	intTag   = "!!int"
	boolTag  = "!!bool"
	mergeTag = "!!merge"
)

// field is a value in the document. One that is not there, or is null, has no
// node; reading it gives nothing.
type field struct {
	doc  *document
	node *yaml.Node
	path string
	// near is the line to show for a field that is not there.
	near int
}

func (f field) there() bool { return f.node != nil }

func (f field) line() int {
	if f.node == nil {
		return f.near
	}
	return f.node.Line
}

// fail records a problem with the field.
func (f field) fail(format string, args ...any) {
	f.doc.problems = append(f.doc.problems, Problem{Path: f.path, Line: f.line(), Text: fmt.Sprintf(format, args...)})
}

// at returns the value of a node below, without a node if it is null.
func (f field) at(path string, node *yaml.Node) field {
	below := field{doc: f.doc, node: node, path: path, near: node.Line}
	if node.Kind == yaml.AliasNode {
		below.fail("YAML aliases are not read; write the value out, as yamlencode(yamldecode(text)) does")
		below.node = nil
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == nullTag {
		below.node = nil
	}
	return below
}

// describe names what the node is.
func (f field) describe() string {
	switch f.node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", f.node.Value)
}

// peek returns the text of a key without any complaint.
func (f field) peek(name string) string {
	child, ok := f.child(name)
	if !ok || child.node.Kind != yaml.ScalarNode {
		return ""
	}
	return child.node.Value
}

// child returns what stands at a key of an object or, for a number, in a list.
func (f field) child(step any) (field, bool) {
	if f.node == nil {
		return field{}, false
	}
	switch step := step.(type) {
	case int:
		if f.node.Kind == yaml.SequenceNode && step < len(f.node.Content) {
			return field{doc: f.doc, node: f.node.Content[step], path: fmt.Sprintf("%s[%d]", f.path, step)}, true
		}
	case string:
		if f.node.Kind != yaml.MappingNode {
			return field{}, false
		}
		for i := 0; i < len(f.node.Content); i += 2 {
			if f.node.Content[i].Value == step {
				return field{doc: f.doc, node: f.node.Content[i+1], path: join(f.path, step)}, true
			}
		}
	}
	return field{}, false
}

// join writes the path of a key. One that is no plain name, such as a label
// key, is quoted.
func join(path, key string) string {
	if strings.ContainsAny(key, "./[]\" ") || key == "" {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// scalar returns the node's text if it is a scalar of one of the tags.
func (f field) scalar(what string, tags ...string) (string, bool) {
	if !f.there() {
		return "", false
	}
	if f.node.Kind != yaml.ScalarNode || !slices.Contains(tags, f.node.ShortTag()) {
		f.fail("%s is not %s", f.describe(), what)
		return "", false
	}
	return f.node.Value, true
}

// text returns a string. Kubernetes takes no number or Boolean for one.
func (f field) text() *string {
	if value, ok := f.scalar("a string (quote it)", textTag, timeTag); ok {
		return &value
	}
	return nil
}

// nonEmpty returns a string; the API's zero value counts as absent.
func (f field) nonEmpty() *string {
	if value := f.text(); value != nil && *value != "" {
		return value
	}
	return nil
}

// requiredText returns a string that must be there.
func (f field) requiredText() string {
	value := f.text()
	if value == nil {
		f.required()
		return ""
	}
	return *value
}

// required complains if the field is not there.
func (f field) required() {
	if !f.there() {
		f.fail("missing, and required")
	}
}

// boolean returns true, false or nil.
func (f field) boolean() *bool {
	text, ok := f.scalar("true or false", boolTag)
	if !ok {
		return nil
	}
	value := strings.EqualFold(text, "true")
	return &value
}

// integer returns a whole number of at most 32 bits, as the API has them.
func (f field) integer() *int64 {
	if _, ok := f.scalar("a whole number", intTag); !ok {
		return nil
	}
	var value int64
	if err := f.node.Decode(&value); err != nil || value < math.MinInt32 || value > math.MaxUint32 {
		f.fail("%s is out of range", f.describe())
		return nil
	}
	return &value
}

// requiredInteger returns a whole number that must be there.
func (f field) requiredInteger() int64 {
	f.required()
	if value := f.integer(); value != nil {
		return *value
	}
	return 0
}

// literal returns a number or string as it is written, such as a quantity or
// an integer or percentage.
func (f field) literal() *string {
	if value, ok := f.scalar("a number or a string", textTag, intTag, "!!float"); ok {
		return &value
	}
	return nil
}

// list returns the elements.
func (f field) list() []field {
	if !f.there() {
		return nil
	}
	if f.node.Kind != yaml.SequenceNode {
		f.fail("%s is not a list", f.describe())
		return nil
	}
	elements := make([]field, 0, len(f.node.Content))
	for i, node := range f.node.Content {
		element := f.at(fmt.Sprintf("%s[%d]", f.path, i), node)
		if !element.there() && node.Kind != yaml.AliasNode {
			element.fail("an element of a list is not null")
		}
		elements = append(elements, element)
	}
	return elements
}

// texts returns a list of strings; nil for none.
func (f field) texts() []string {
	var all []string
	for _, element := range f.list() {
		if value := element.text(); value != nil {
			all = append(all, *value)
		}
	}
	return all
}

// entries returns the values of a map by key; nil if there are none.
func (f field) entries(value func(field) *string) map[string]string {
	if !f.there() {
		return nil
	}
	o := f.object()
	all := map[string]string{}
	for _, key := range o.keys {
		element := o.take(key)
		if text := value(element); text != nil {
			all[key] = *text
		} else if !element.there() {
			element.fail("missing, and required")
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// textMap returns a map of strings, such as labels.
func (f field) textMap() map[string]string { return f.entries(field.text) }

// refuse complains of a field that has no counterpart, unless it says nothing:
// null, or the zero value of the API.
func (f field) refuse(why string) {
	if f.there() && !f.zero() {
		f.fail("%s", why)
	}
}

func (f field) zero() bool {
	switch f.node.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		return len(f.node.Content) == 0
	}
	return slices.Contains([]string{"", "0", "false"}, f.node.Value)
}

// object is a mapping of which each key has to be asked for.
type object struct {
	field

	keys   []string
	values map[string]field
	asked  []string
	taken  map[string]bool
}

// object returns the field as an object. One that is not there has no keys.
func (f field) object() *object {
	o := &object{field: f, values: map[string]field{}, taken: map[string]bool{}}
	if !f.there() {
		return o
	}
	if f.node.Kind != yaml.MappingNode {
		f.fail("%s is not an object", f.describe())
		return o
	}
	for i := 0; i < len(f.node.Content); i += 2 {
		key, value := f.node.Content[i], f.node.Content[i+1]
		at := field{doc: f.doc, node: key, path: join(f.path, key.Value)}
		switch {
		case key.ShortTag() == mergeTag:
			at.fail("YAML merge keys are not read; write the fields out")
		case key.Kind != yaml.ScalarNode:
			field{doc: f.doc, node: key, path: f.path}.fail("a key is not a string")
		case o.values[key.Value].doc != nil:
			at.fail("the key stands here twice")
		default:
			o.keys = append(o.keys, key.Value)
			o.values[key.Value] = f.at(at.path, value)
		}
	}
	return o
}

// take returns the value of a key.
func (o *object) take(name string) field {
	if !o.taken[name] {
		o.taken[name] = true
		o.asked = append(o.asked, name)
	}
	if value, ok := o.values[name]; ok {
		return value
	}
	return field{doc: o.doc, path: join(o.path, name), near: o.line()}
}

// ignore takes keys that say nothing of what the object asks for.
func (o *object) ignore(names ...string) {
	for _, name := range names {
		o.taken[name] = true
	}
}

// done complains of the keys that nobody has taken.
func (o *object) done() {
	for _, name := range o.keys {
		if !o.taken[name] {
			o.values[name].fail("unknown field; known here are %s", strings.Join(o.asked, ", "))
		}
	}
}
