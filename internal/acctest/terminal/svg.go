// Package terminal draws what a terminal shows as an SVG.
package terminal

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Style is how a text looks, as CSS properties of SVG.
type Style string

// Span is a text in one style.
type Span struct {
	Style Style
	Text  string
}

// Row is a line; one without spans is empty.
type Row []Span

// Styles of a terminal with a dark background.
const (
	Plain  Style = "fill:#9da7b3"
	Bold   Style = "fill:#e6edf3;font-weight:bold"
	Green  Style = "fill:#7ee787"
	Red    Style = "fill:#ff7b72"
	Yellow Style = "fill:#e3b341"
	Blue   Style = "fill:#79c0ff"
	Faint  Style = "fill:#6e7681"
)

// Sizes in pixels. The width of a character is that of the usual monospaced fonts.
const (
	fontSize, charWidth, lineHeight, margin = 12, 7.3, 17, 16
)

// SVG draws rows on a terminal of so many columns.
func SVG(rows []Row, columns int) []byte {
	classes := map[Style]string{}
	var styles, lines bytes.Buffer
	for i, row := range rows {
		if len(row) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(&lines, `<text x="%d" y="%d" xml:space="preserve">`, margin, margin+fontSize+i*lineHeight)
		for _, span := range row {
			if classes[span.Style] == "" {
				classes[span.Style] = fmt.Sprintf("s%d", len(classes))
				_, _ = fmt.Fprintf(&styles, ".%s{%s}", classes[span.Style], span.Style)
			}
			_, _ = fmt.Fprintf(&lines, `<tspan class="%s">`, classes[span.Style])
			_ = xml.EscapeText(&lines, []byte(span.Text)) // a buffer takes everything
			lines.WriteString("</tspan>")
		}
		lines.WriteString("</text>\n")
	}
	var b bytes.Buffer
	width, height := int(float64(columns)*charWidth)+2*margin, len(rows)*lineHeight+2*margin
	_, _ = fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", width, height)
	_, _ = fmt.Fprintf(&b, "<style>text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}%s</style>\n", fontSize, styles.String())
	b.WriteString("<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n")
	b.Write(lines.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}
