package egressgraph

import (
	"fmt"
	"strings"
)

// Mermaid returns the picture as a flowchart of Mermaid
// (https://mermaid.js.org/syntax/flowchart.html).
func (g *Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	boxes := func(all []*box, title string, shape string) {
		for _, box := range all {
			fmt.Fprintf(&b, "  subgraph %s[\"%s\"]\n", box.id, mermaidText(title+" "+box.title))
			for _, n := range box.nodes {
				fmt.Fprintf(&b, "    "+shape+"\n", n.id, mermaidText(n.text))
			}
			b.WriteString("  end\n")
		}
	}
	boxes(g.namespaces, "namespace", `%s["%s"]`)
	boxes(g.gateways, "gateway", `%s["%s"]`)
	for _, n := range g.hosts {
		fmt.Fprintf(&b, "  %s([\"%s\"])\n", n.id, mermaidText(n.text))
	}
	var doubtful []string
	for i, e := range g.edges {
		arrow := "-->"
		if e.direct {
			arrow = "-.->"
		}
		text := ""
		if e.label() != "" {
			text = fmt.Sprintf(`|"%s"|`, mermaidText(e.label()))
		}
		fmt.Fprintf(&b, "  %s %s%s %s\n", e.from.id, arrow, text, e.to.id)
		if e.doubtful {
			doubtful = append(doubtful, fmt.Sprint(i))
		}
	}
	if len(doubtful) > 0 {
		fmt.Fprintf(&b, "  linkStyle %s stroke:%s\n", strings.Join(doubtful, ","), doubtfulColour)
	}
	return b.String()
}

// doubtfulColour marks edges of policies whose objects were changed.
const doubtfulColour = "#cf222e"

// label is the text at an edge.
func (e *edge) label() string {
	text := e.text
	if e.direct {
		text += ", direct"
	}
	if e.doubtful {
		text += ", changed in the cluster"
	}
	return text
}

// mermaidText writes everything that could mean something to Mermaid, or to the
// Markdown and HTML that it makes of a text, as entity codes: a wildcard's
// asterisk would begin emphasis
// (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters).
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" .,:/=-()", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
