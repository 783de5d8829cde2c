package meshconfig

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// source is a text with the offsets of its lines, as the YAML scanner counts
// them: it takes NEL, LS and PS for line breaks too (yaml.v3, yamlprivateh.go,
// is_break).
type source struct {
	text  string
	lines []int
}

// byteOrderMark is taken off by the reader before anything is counted.
const byteOrderMark = "\uFEFF"

func newSource(text string) source {
	s := source{text: text, lines: []int{0}}
	if strings.HasPrefix(text, byteOrderMark) {
		s.lines[0] = len(byteOrderMark)
	}
	for i := 0; i < len(text); {
		if n := breakAt(text[i:]); n > 0 {
			i += n
			s.lines = append(s.lines, i)
			continue
		}
		i++
	}
	return s
}

// breakAt returns the length of the line break that a text begins with.
func breakAt(text string) int {
	for _, mark := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if strings.HasPrefix(text, mark) {
			return len(mark)
		}
	}
	return 0
}

// newline returns the line break that the text uses.
func (s source) newline() string {
	if strings.Contains(s.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// at returns the offset of a node, -1 if it has none. Columns count characters.
func (s source) at(node *yaml.Node) int {
	if node.Line < 1 || node.Line > len(s.lines) || node.Column < 1 {
		return -1
	}
	offset := s.lines[node.Line-1]
	for range node.Column - 1 {
		if offset >= len(s.text) {
			return -1
		}
		_, size := utf8.DecodeRuneInString(s.text[offset:])
		offset += size
	}
	return offset
}

// lineOf returns the offset of the line that an offset is in.
func (s source) lineOf(offset int) int {
	start := 0
	for _, line := range s.lines {
		if line > offset {
			break
		}
		start = line
	}
	return start
}

// afterLine returns the offset of the next line.
func (s source) afterLine(offset int) int {
	for _, line := range s.lines {
		if line > offset {
			return line
		}
	}
	return len(s.text)
}

// indent returns what stands before an offset in its line.
func (s source) indent(offset int) string { return s.text[s.lineOf(offset):offset] }

// content returns the offset of a node behind its anchor and its tag.
func (s source) content(node *yaml.Node) int {
	at := s.at(node)
	for at >= 0 && at < len(s.text) && (s.text[at] == '&' || s.text[at] == '!') {
		for at < len(s.text) && !strings.ContainsRune(" \t\r\n", rune(s.text[at])) {
			at++
		}
		for at < len(s.text) && strings.ContainsRune(" \t\r\n", rune(s.text[at])) {
			at++
		}
	}
	return at
}

// span returns from where to where the content of a node stands. It knows
// what can stand on one line: a plain or quoted scalar, an alias, and flow and
// block mappings of such; ok is false for anything else.
func (s source) span(node *yaml.Node) (from, to int, ok bool) {
	from = s.content(node)
	if from < 0 {
		return 0, 0, false
	}
	rest := s.text[from:]
	switch {
	case node.Kind == yaml.AliasNode:
		return from, from + 1 + len(node.Value), strings.HasPrefix(rest, "*"+node.Value)
	case node.Kind == yaml.MappingNode && strings.HasPrefix(rest, "{"):
		to, ok = closing(s.text, from)
		return from, to, ok
	case node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0 && len(node.Content) > 0:
		_, to, ok = s.span(node.Content[len(node.Content)-1])
		return from, to, ok
	case node.Kind != yaml.ScalarNode:
		return 0, 0, false
	case node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		to, ok = quoted(s.text, from)
		return from, to, ok
	}
	return from, from + len(node.Value), strings.HasPrefix(rest, node.Value) && node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// quoted returns the offset behind a quoted scalar.
func quoted(text string, from int) (int, bool) {
	if from >= len(text) || text[from] != '"' && text[from] != '\'' {
		return 0, false
	}
	quote := text[from]
	for i := from + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}

// closing returns the offset behind the bracket that closes the one at from.
func closing(text string, from int) (int, bool) {
	depth := 0
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		case c == '"' || c == '\'':
			// Inside of a plain scalar a quote is a letter like any other.
			if !strings.ContainsRune(" \t\r\n{[,:", rune(text[i-1])) {
				continue
			}
			end, ok := quoted(text, i)
			if !ok {
				return 0, false
			}
			i = end - 1
		case c == '#' && strings.ContainsRune(" \t\r\n", rune(text[i-1])):
			for i+1 < len(text) && breakAt(text[i+1:]) == 0 {
				i++
			}
		}
	}
	return 0, false
}
