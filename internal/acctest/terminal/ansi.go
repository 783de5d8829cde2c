package terminal

import (
	"regexp"
	"slices"
	"strings"
)

// escape is a sequence that sets graphic renditions (ECMA-48, SGR).
var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// colours are the foreground colours that Terraform uses.
var colours = map[string]Style{
	"31": Red, "32": Green, "33": Yellow, "34": Blue, "36": Blue, "90": Faint, "91": Red, "92": Green, "93": Yellow,
}

// ANSI reads what a program has written for a terminal.
func ANSI(text string) []Row {
	var rows []Row
	var bold bool
	var colour Style
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		var row Row
		add := func(text string) {
			if text == "" {
				return
			}
			style := Plain
			switch {
			case colour != "":
				style = colour
			case bold:
				style = Bold
			}
			if last := len(row) - 1; last >= 0 && row[last].Style == style {
				row[last].Text += text
				return
			}
			row = append(row, Span{style, text})
		}
		at := 0
		for _, match := range escape.FindAllStringSubmatchIndex(line, -1) {
			add(line[at:match[0]])
			at = match[1]
			codes := strings.Split(line[match[2]:match[3]], ";")
			if slices.Contains(codes, "0") || slices.Contains(codes, "") {
				bold, colour = false, ""
			}
			bold = bold || slices.Contains(codes, "1")
			for _, code := range codes {
				if c, ok := colours[code]; ok {
					colour = c
				}
			}
		}
		add(line[at:])
		rows = append(rows, row)
	}
	return rows
}

// Text is a row without its styles.
func (r Row) Text() string {
	var b strings.Builder
	for _, span := range r {
		b.WriteString(span.Text)
	}
	return b.String()
}
