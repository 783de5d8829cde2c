package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// Sizes in pixels. The width of a character is that of the usual monospaced fonts.
const (
	fontSize, charWidth, lineHeight, margin = 12, 7.3, 17, 16
)

var colours = map[kind]string{
	comment: "#e6edf3;font-weight:bold", prompt: "#79c0ff", good: "#7ee787", bad: "#ff7b72", plain: "#9da7b3",
}

// picture draws a digest as a terminal.
func picture(digest []row) []byte {
	var b bytes.Buffer
	width, height := int(columns*charWidth)+2*margin, len(digest)*lineHeight+2*margin
	_, _ = fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`+"\n", width, height)
	_, _ = fmt.Fprintf(&b, "<style>text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}", fontSize)
	for _, k := range []kind{comment, prompt, good, bad, plain} {
		_, _ = fmt.Fprintf(&b, ".%s{fill:%s}", k, colours[k])
	}
	b.WriteString("</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n")
	for i, r := range digest {
		if r.kind == space {
			continue
		}
		_, _ = fmt.Fprintf(&b, `<text x="%d" y="%d" class="%s" xml:space="preserve">`, margin, margin+fontSize+i*lineHeight, r.kind)
		_ = xml.EscapeText(&b, []byte(r.text)) // a buffer takes everything
		b.WriteString("</text>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
