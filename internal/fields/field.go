package fields

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

// Field is a value in a document. One that is not there, or is null, has no
// node; reading it gives nothing.
type Field struct {
	log *Problems
	// Node is what stands there, nil if nothing does.
	Node *yaml.Node
	// Path leads to the field in the object.
	Path string
	// near is the line to show for a field that is not there.
	near int
}

// Root returns a document, or a part of one that stands at a path. What is wrong
// with it and all below is added to log.
func Root(log *Problems, node *yaml.Node, path string) Field {
	return Field{log: log, Node: node, Path: path}
}

// There reports whether the field is there and not null.
func (f Field) There() bool { return f.Node != nil }

// Line is the field's line, or that of the object it is missing from.
func (f Field) Line() int {
	if f.Node == nil {
		return f.near
	}
	return f.Node.Line
}

// Fail records a problem with the field.
func (f Field) Fail(format string, args ...any) {
	*f.log = append(*f.log, Problem{Path: f.Path, Line: f.Line(), Text: fmt.Sprintf(format, args...)})
}

// at returns the value of a node below, without a node if it is null.
func (f Field) at(path string, node *yaml.Node) Field {
	below := Field{log: f.log, Node: node, Path: path, near: node.Line}
	if node.Kind == yaml.AliasNode {
		below.Fail("YAML aliases are not read; write the value out, as yamlencode(yamldecode(text)) does")
		below.Node = nil
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == nullTag {
		below.Node = nil
	}
	return below
}

// Describe names what the node is.
func (f Field) Describe() string {
	switch f.Node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", f.Node.Value)
}

// Peek returns the text of a key without any complaint.
func (f Field) Peek(name string) string {
	child, ok := f.Child(name)
	if !ok || child.Node.Kind != yaml.ScalarNode {
		return ""
	}
	return child.Node.Value
}

// Child returns what stands at a key of an object or, for a number, in a list.
func (f Field) Child(step any) (Field, bool) {
	if f.Node == nil {
		return Field{}, false
	}
	switch step := step.(type) {
	case int:
		if f.Node.Kind == yaml.SequenceNode && step < len(f.Node.Content) {
			return Field{log: f.log, Node: f.Node.Content[step], Path: fmt.Sprintf("%s[%d]", f.Path, step)}, true
		}
	case string:
		if f.Node.Kind != yaml.MappingNode {
			return Field{}, false
		}
		for i := 0; i < len(f.Node.Content); i += 2 {
			if f.Node.Content[i].Value == step {
				return Field{log: f.log, Node: f.Node.Content[i+1], Path: Join(f.Path, step)}, true
			}
		}
	}
	return Field{}, false
}

// Join writes the path of a key. One that is no plain name, such as a label
// key, is quoted.
func Join(path, key string) string {
	if strings.ContainsAny(key, "./[]\" ") || key == "" {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// scalar returns the node's text if it is a scalar of one of the tags.
func (f Field) scalar(what string, tags ...string) (string, bool) {
	if !f.There() {
		return "", false
	}
	if f.Node.Kind != yaml.ScalarNode || !slices.Contains(tags, f.Node.ShortTag()) {
		f.Fail("%s is not %s", f.Describe(), what)
		return "", false
	}
	return f.Node.Value, true
}

// Text returns a string. Kubernetes takes no number or Boolean for one.
func (f Field) Text() *string {
	if value, ok := f.scalar("a string (quote it)", textTag, timeTag); ok {
		return &value
	}
	return nil
}

// IsText reports whether a string stands there.
func (f Field) IsText() bool { return f.There() && f.Node.ShortTag() == textTag }

// NonEmpty returns a string; the API's zero value counts as absent.
func (f Field) NonEmpty() *string {
	if value := f.Text(); value != nil && *value != "" {
		return value
	}
	return nil
}

// RequiredText returns a string that must be there.
func (f Field) RequiredText() string {
	value := f.Text()
	if value == nil {
		f.Required()
		return ""
	}
	return *value
}

// Required complains if the field is not there.
func (f Field) Required() {
	if !f.There() {
		f.Fail("missing, and required")
	}
}

// Boolean returns true, false or nil.
func (f Field) Boolean() *bool {
	text, ok := f.scalar("true or false", boolTag)
	if !ok {
		return nil
	}
	value := strings.EqualFold(text, "true")
	return &value
}

// Integer returns a whole number of at most 32 bits, as the API has them.
func (f Field) Integer() *int64 {
	if _, ok := f.scalar("a whole number", intTag); !ok {
		return nil
	}
	var value int64
	if err := f.Node.Decode(&value); err != nil || value < math.MinInt32 || value > math.MaxUint32 {
		f.Fail("%s is out of range", f.Describe())
		return nil
	}
	return &value
}

// RequiredInteger returns a whole number that must be there.
func (f Field) RequiredInteger() int64 {
	f.Required()
	if value := f.Integer(); value != nil {
		return *value
	}
	return 0
}

// Literal returns a number or string as it is written, such as a quantity or
// an integer or percentage.
func (f Field) Literal() *string {
	if value, ok := f.scalar("a number or a string", textTag, intTag, "!!float"); ok {
		return &value
	}
	return nil
}

// List returns the elements.
func (f Field) List() []Field {
	if !f.There() {
		return nil
	}
	if f.Node.Kind != yaml.SequenceNode {
		f.Fail("%s is not a list", f.Describe())
		return nil
	}
	elements := make([]Field, 0, len(f.Node.Content))
	for i, node := range f.Node.Content {
		element := f.at(fmt.Sprintf("%s[%d]", f.Path, i), node)
		if !element.There() && node.Kind != yaml.AliasNode {
			element.Fail("an element of a list is not null")
		}
		elements = append(elements, element)
	}
	return elements
}

// Texts returns a list of strings; nil for none.
func (f Field) Texts() []string {
	var all []string
	for _, element := range f.List() {
		if value := element.Text(); value != nil {
			all = append(all, *value)
		}
	}
	return all
}

// Entries returns the values of a map by key; nil if there are none.
func (f Field) Entries(value func(Field) *string) map[string]string {
	if !f.There() {
		return nil
	}
	o := f.Object()
	all := map[string]string{}
	for _, key := range o.Keys {
		element := o.Take(key)
		if text := value(element); text != nil {
			all[key] = *text
		} else if !element.There() {
			element.Fail("missing, and required")
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// TextMap returns a map of strings, such as labels.
func (f Field) TextMap() map[string]string { return f.Entries(Field.Text) }

// Refuse complains of a field that has no counterpart, unless it says nothing:
// null, or the zero value of the API.
func (f Field) Refuse(why string) {
	if f.There() && !f.Zero() {
		f.Fail("%s", why)
	}
}

// Zero reports whether the field says nothing: the zero value of the API.
func (f Field) Zero() bool {
	switch f.Node.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		return len(f.Node.Content) == 0
	}
	return slices.Contains([]string{"", "0", "false"}, f.Node.Value)
}

// Object is a mapping of which each key has to be asked for.
type Object struct {
	Field

	// Keys are those of the mapping, in its order.
	Keys []string
	// Asked are those that were taken, in that order.
	Asked  []string
	values map[string]Field
	taken  map[string]bool
}

// Object returns the field as an object. One that is not there has no keys.
func (f Field) Object() *Object {
	o := &Object{Field: f, values: map[string]Field{}, taken: map[string]bool{}}
	if !f.There() {
		return o
	}
	if f.Node.Kind != yaml.MappingNode {
		f.Fail("%s is not an object", f.Describe())
		return o
	}
	for i := 0; i < len(f.Node.Content); i += 2 {
		key, value := f.Node.Content[i], f.Node.Content[i+1]
		at := Field{log: f.log, Node: key, Path: Join(f.Path, key.Value)}
		switch {
		case key.ShortTag() == mergeTag:
			at.Fail("YAML merge keys are not read; write the fields out")
		case key.Kind != yaml.ScalarNode:
			Field{log: f.log, Node: key, Path: f.Path}.Fail("a key is not a string")
		case o.values[key.Value].log != nil:
			at.Fail("the key stands here twice")
		default:
			o.Keys = append(o.Keys, key.Value)
			o.values[key.Value] = f.at(at.Path, value)
		}
	}
	return o
}

// Take returns the value of a key.
func (o *Object) Take(name string) Field {
	if !o.taken[name] {
		o.taken[name] = true
		o.Asked = append(o.Asked, name)
	}
	if value, ok := o.values[name]; ok {
		return value
	}
	return Field{log: o.log, Path: Join(o.Path, name), near: o.Line()}
}

// Ignore takes keys that say nothing of what the object asks for.
func (o *Object) Ignore(names ...string) {
	for _, name := range names {
		o.taken[name] = true
	}
}

// Rest takes the keys that nobody has taken.
func (o *Object) Rest() []Field {
	var rest []Field
	for _, name := range o.Keys {
		if !o.taken[name] {
			rest = append(rest, o.Take(name))
		}
	}
	return rest
}

// Done complains of the keys that nobody has taken.
func (o *Object) Done() {
	for _, name := range o.Keys {
		if !o.taken[name] {
			o.values[name].Fail("unknown field; known here are %s", strings.Join(o.Asked, ", "))
		}
	}
}
