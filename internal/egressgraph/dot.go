package egressgraph

import (
	"fmt"
	"strings"
)

// DOT returns the picture in the language of Graphviz
// (https://graphviz.org/doc/info/lang.html).
func (g *Graph) DOT() string {
	var b strings.Builder
	b.WriteString(`digraph egress {
  graph [rankdir=LR, ranksep=1, nodesep=0.15, fontname="Helvetica,Arial,sans-serif", fontsize=11]
  node [shape=box, style="rounded,filled", fillcolor="white", color="#57606a", fontname="Helvetica,Arial,sans-serif", fontsize=10, height=0.3]
  edge [color="#57606a", fontname="Helvetica,Arial,sans-serif", fontsize=9, arrowsize=0.7]
`)
	boxes := func(all []*box, title, fill string) {
		for _, box := range all {
			fmt.Fprintf(&b, "  subgraph cluster_%s {\n    label=%s; style=\"rounded,filled\"; color=\"#d0d7de\"; fillcolor=%q\n", box.id, dotText(title+" "+box.title), fill)
			for _, n := range box.nodes {
				fmt.Fprintf(&b, "    %s [label=%s]\n", n.id, dotText(n.text))
			}
			b.WriteString("  }\n")
		}
	}
	boxes(g.namespaces, "namespace", "#ddf4ff")
	boxes(g.gateways, "gateway", "#fff8c5")
	for _, n := range g.hosts {
		fmt.Fprintf(&b, "  %s [label=%s, shape=ellipse, style=filled, fillcolor=\"#dafbe1\"]\n", n.id, dotText(n.text))
	}
	for _, e := range g.edges {
		var attributes []string
		if e.label() != "" {
			attributes = append(attributes, "label="+dotText(e.label()))
		}
		if e.direct {
			attributes = append(attributes, "style=dashed, minlen=2") // past the column of the gateways
		}
		if e.doubtful {
			attributes = append(attributes, fmt.Sprintf("color=%q, fontcolor=%q", doubtfulColour, doubtfulColour))
		}
		text := ""
		if len(attributes) > 0 {
			text = " [" + strings.Join(attributes, ", ") + "]"
		}
		fmt.Fprintf(&b, "  %s -> %s%s\n", e.from.id, e.to.id, text)
	}
	b.WriteString("}\n")
	return b.String()
}

// dotText quotes a text. In a quoted string only the quote is special, and in a
// label the backslash.
func dotText(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
