package meshconfig

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrNoPlace is an edit that cannot be made as a splice: what it would change
// is shared by an anchor with something else, or written in a way that has no
// single place for the field.
var ErrNoPlace = errors.New("the mesh config is written in a way in which " + fieldName + "." + modeName +
	" cannot be changed without changing something else: an anchor that is used elsewhere too, a value over several lines, a null that others refer to")

// ErrSiblings is the removal of a field beside which others stand: what would
// be left without a mode means REGISTRY_ONLY.
var ErrSiblings = errors.New(fieldName + " of the mesh config has more fields than " + modeName)

// Set returns the text with the mode in it. Where the text says that mode
// already it comes back as it is, in whatever way it says it.
func Set(text, mode string) (string, error) {
	tree, err := decode(text)
	if err != nil {
		return "", err
	}
	if current, err := modeOf(tree); err != nil || current == mode {
		return text, err
	}
	e, err := newEditor(text)
	if err != nil {
		return "", err
	}
	want, _ := decode(text) // a second tree, to change
	name := effectiveName(want)
	policy, ok := want[name].(map[string]any)
	if !ok {
		policy = map[string]any{}
		want[name] = policy
	}
	policy[modeName] = mode
	return e.first(e.setting(name, mode), want)
}

// Remove returns the text without the field, or with a null for it where taking
// the line away would change something else, so that it says no mode. What is
// never left behind is an outboundTrafficPolicy without a mode.
func Remove(text string) (string, error) {
	tree, err := decode(text)
	if err != nil {
		return "", err
	}
	name := effectiveName(tree)
	policy, ok := tree[name].(map[string]any)
	switch {
	case !ok:
		return text, nil
	case len(policy) > 1 || len(policy) == 1 && policy[modeName] == nil:
		return "", ErrSiblings
	}
	e, err := newEditor(text)
	if err != nil {
		return "", err
	}
	delete(tree, name)
	removed, err := e.first(e.removing(name), tree)
	if err == nil {
		return removed, nil
	}
	tree[name] = nil
	return e.first(e.emptying(name), tree)
}

// splice puts a text in place of text[from:to].
type splice struct {
	from, to int
	text     string
}

// editor is a text with its nodes.
type editor struct {
	source
	// root is nil for a text without a node.
	root *yaml.Node
}

func newEditor(text string) (*editor, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("the mesh config is not YAML: %w", err)
	}
	e := &editor{source: newSource(text)}
	if len(document.Content) > 0 {
		e.root = document.Content[0]
	}
	return e, nil
}

// first returns the text after the first splice that makes it say what is
// wanted, read as istiod reads it.
func (e *editor) first(candidates []splice, want map[string]any) (string, error) {
	for _, c := range candidates {
		if c.from < 0 || c.to < c.from || c.to > len(e.text) {
			continue
		}
		text := e.text[:c.from] + c.text + e.text[c.to:]
		if got, err := decode(text); err == nil && reflect.DeepEqual(got, want) {
			return text, nil
		}
	}
	return "", ErrNoPlace
}

// setting returns the splices that may set the mode, the best first.
func (e *editor) setting(name, mode string) []splice {
	switch {
	case e.root == nil:
		return []splice{e.appended("", name, mode)}
	case e.root.Kind == yaml.ScalarNode: // null: decode has seen to that
		from, to, _ := e.span(e.root)
		return []splice{e.appended("", name, mode), {from, to, name + ": " + flow(mode)}}
	case e.root.Kind != yaml.MappingNode:
		return nil
	}
	if _, value := entry(e.root, name); value != nil {
		return e.valued(value, mode)
	}
	if e.root.Style&yaml.FlowStyle != 0 {
		return e.inFlow(e.root, name+": "+flow(mode), fmt.Sprintf(`"%s": {"%s": "%s"}`, name, modeName, mode))
	}
	at := e.at(e.root.Content[0])
	indent := e.indent(at)
	return []splice{
		e.appended(indent, name, mode),
		{e.lineOf(at), e.lineOf(at), e.block(indent, name, mode)},
	}
}

// flow is the value of the field on one line.
func flow(mode string) string { return "{" + modeName + ": " + mode + "}" }

// block is the field as an entry of a block mapping.
func (e *editor) block(indent, name, mode string) string {
	return indent + name + ":" + e.newline() + indent + "  " + modeName + ": " + mode + e.newline()
}

// appended puts the entry behind everything. Where the text does not end in a
// line break, what is put there does not either: taken away again, it leaves
// the text as it was.
func (e *editor) appended(indent, name, mode string) splice {
	text, end := e.block(indent, name, mode), len(e.text)
	if e.lines[len(e.lines)-1] != end {
		text = e.newline() + strings.TrimSuffix(text, e.newline())
	}
	return splice{end, end, text}
}

// inFlow puts an entry before the others of a flow mapping; in JSON it is JSON.
func (e *editor) inFlow(mapping *yaml.Node, plain, json string) []splice {
	at := e.content(mapping) + 1
	if len(mapping.Content) == 0 {
		return []splice{{at, at, plain}}
	}
	if mapping.Content[0].Style&yaml.DoubleQuotedStyle != 0 {
		plain = json
	}
	return []splice{{at, at, plain + ", "}}
}

// valued returns the splices for a field that has a value.
func (e *editor) valued(value *yaml.Node, mode string) []splice {
	from, to, ok := e.span(value)
	switch {
	case value.Kind == yaml.AliasNode && ok && value.Alias.Kind == yaml.MappingNode:
		// The mapping is somebody else's too: take it over and say more.
		return []splice{{from, to, "{<<: *" + value.Value + ", " + modeName + ": " + mode + "}"}}
	case value.Kind == yaml.AliasNode && ok:
		return []splice{{from, to, flow(mode)}}
	case value.Kind == yaml.ScalarNode && ok: // null
		return []splice{e.scalar(from, to, flow(mode))}
	case value.Kind != yaml.MappingNode:
		return nil
	}
	if _, old := entry(value, modeName); old != nil {
		return e.replaced(old, mode)
	}
	if value.Style&yaml.FlowStyle != 0 {
		return e.inFlow(value, modeName+": "+mode, fmt.Sprintf(`"%s": "%s"`, modeName, mode))
	}
	at := e.at(value.Content[0])
	indent := e.indent(at)
	line := indent + modeName + ": " + mode + e.newline()
	candidates := []splice{{e.lineOf(at), e.lineOf(at), line}}
	if after := e.afterLine(to); ok {
		// A merge goes over the keys before it (yaml.v2, which istiod reads with).
		candidates = append(candidates, splice{after, after, line})
	}
	return candidates
}

// replaced returns the splices for a mode that is there. Its quotes stay.
func (e *editor) replaced(old *yaml.Node, mode string) []splice {
	from, to, ok := e.span(old)
	switch {
	case !ok:
		return nil
	case old.Kind == yaml.ScalarNode && old.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return []splice{{from + 1, to - 1, mode}}
	}
	return []splice{e.scalar(from, to, mode)}
}

// scalar replaces a plain scalar. An empty one stands right behind its colon.
func (e *editor) scalar(from, to int, text string) splice {
	if from == to && from > 0 && e.text[from-1] == ':' {
		text = " " + text
	}
	return splice{from, to, text}
}

// removing returns the splices that may take the field away.
func (e *editor) removing(name string) []splice {
	if e.root == nil || e.root.Kind != yaml.MappingNode {
		return nil
	}
	key, value := entry(e.root, name)
	if key == nil {
		return nil
	}
	_, to, ok := e.span(value)
	from := e.at(key)
	if !ok || from < 0 {
		return nil
	}
	if e.root.Style&yaml.FlowStyle != 0 {
		return e.outOfFlow(from, to)
	}
	from = e.lineOf(from)
	after := e.afterLine(to)
	if after == len(e.text) && from > 0 && e.lines[len(e.lines)-1] != after {
		// The last line, without a line break: the one before has lost its own
		// when this one came.
		from -= len(e.newline())
	}
	return []splice{{from, after, ""}}
}

// emptying returns the splices that may make the field null, which is no
// message. What ends before the field and what begins behind it do not meet
// then, such as a block scalar and a line of spaces.
func (e *editor) emptying(name string) []splice {
	if e.root == nil || e.root.Kind != yaml.MappingNode {
		return nil
	}
	_, value := entry(e.root, name)
	if value == nil {
		return nil
	}
	from, to, ok := e.span(value)
	if !ok {
		return nil
	}
	return []splice{{from, to, "null"}}
}

// outOfFlow takes the entry text[from:to] out of a flow mapping, with the
// comma behind it or the one before.
func (e *editor) outOfFlow(from, to int) []splice {
	behind := to + len(e.text[to:]) - len(strings.TrimLeft(e.text[to:], " \t"))
	if strings.HasPrefix(e.text[behind:], ",") {
		rest := e.text[behind+1:]
		behind += 1 + len(rest) - len(strings.TrimLeft(rest, " \t"))
		return []splice{{from, behind, ""}}
	}
	before := strings.TrimRight(e.text[:from], " \t\r\n")
	return []splice{{len(strings.TrimSuffix(before, ",")), to, ""}, {from, to, ""}}
}

// entry returns the last entry of a mapping under a name: that is the one
// which counts where there are several.
func entry(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if k := mapping.Content[i]; k.Kind == yaml.ScalarNode && k.Value == name {
			key, value = k, mapping.Content[i+1]
		}
	}
	return key, value
}
