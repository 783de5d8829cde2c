package main

import "strings"

// kind of a line in a digest, which decides its colour.
type kind string

const (
	comment kind = "comment"
	prompt  kind = "prompt"
	good    kind = "good"
	bad     kind = "bad"
	plain   kind = "plain"
	space   kind = "space"
)

// row is a line of a digest.
type row struct {
	kind kind
	text string
}

// digest picks what a reader needs to follow the demo: what it says, the commands, what
// became of calls, and of plans the lines about access and drift.
func digest(lines []line) []row {
	var rows []row
	for _, l := range lines {
		k := sort(l.text)
		switch {
		case k == "":
			continue
		case k == comment && len(rows) > 0:
			rows = append(rows, row{kind: space})
		}
		text := strings.TrimRight(l.text, " ")
		if short := []rune(text); len(short) > columns {
			text = string(short[:columns-1]) + "…"
		}
		rows = append(rows, row{kind: k, text: text})
	}
	return rows
}

// sort returns the kind of a line, "" for one that is left out.
func sort(text string) kind {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "# ") && !strings.HasSuffix(text, ":"):
		return comment
	case strings.HasPrefix(text, "$ "):
		return prompt
	case strings.HasPrefix(text, "  sleep-") && strings.Contains(text, " refused"):
		return bad
	case strings.HasPrefix(text, "  sleep-"):
		return good
	case strings.HasPrefix(trimmed, "+ \"mytest/app="), strings.Contains(trimmed, "-> httpbin.org:80 HTTP, upgraded"):
		return plain
	case strings.Contains(trimmed, `"evil.example" (`), strings.HasPrefix(text, "["):
		return plain
	case strings.HasPrefix(trimmed, "Plan: "), strings.HasPrefix(trimmed, "Apply complete!"),
		strings.HasPrefix(trimmed, "No changes."), strings.HasPrefix(trimmed, "Destroy complete!"):
		return plain
	}
	return ""
}
