package main

import (
	"slices"
	"strings"
)

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
		if k == "" {
			continue
		}
		if k == comment && len(rows) > 0 {
			if last := len(rows) - 1; rows[last].kind == comment {
				rows = rows[:last] // nothing of what it announces was picked
			} else {
				rows = append(rows, row{kind: space})
			}
		}
		for _, text := range fold(l.text, k) {
			rows = append(rows, row{kind: k, text: text})
		}
	}
	return rows
}

// fold cuts a line to the width of the picture. A query of all kinds, whose rest says
// little, is shortened.
func fold(text string, k kind) []string {
	var parts []string
	rest := []rune(strings.TrimRight(text, " "))
	for len(rest) > columns {
		if k == prompt && strings.Contains(text, " get ") {
			return []string{string(rest[:columns-1]) + "…"}
		}
		at := columns
		if blank := strings.LastIndexByte(string(rest[:columns]), ' '); blank > columns/2 {
			at = len([]rune(string(rest[:columns])[:blank]))
		}
		parts, rest = append(parts, string(rest[:at])), append([]rune("    "), []rune(strings.TrimLeft(string(rest[at:]), " "))...)
	}
	return append(parts, string(rest))
}

// sort returns the kind of a line, "" for one that is left out.
func sort(text string) kind {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "# ") && !strings.HasSuffix(text, ":"):
		return comment
	case strings.HasPrefix(text, "$ kubectl -n") && strings.Contains(text, " get ") && !strings.Contains(text, "configmap"):
		return ""
	case strings.HasPrefix(text, "$ "):
		return prompt
	case strings.HasPrefix(text, "  sleep-") && strings.Contains(text, " refused"):
		return bad
	case strings.HasPrefix(text, "  sleep-"):
		return good
	case strings.HasPrefix(text, `          + "mytest/app=`), strings.HasPrefix(text, "["):
		return plain
	case strings.HasPrefix(trimmed, `- "`) && (strings.Contains(trimmed, "(kubectl-") || strings.Contains(trimmed, "gone ->")):
		return plain
	case slices.ContainsFunc([]string{
		"Plan: ", "Apply complete!", "No changes.", "Destroy complete!", "No resources found", "mode: REGISTRY_ONLY",
	}, func(start string) bool { return strings.HasPrefix(trimmed, start) }):
		return plain
	}
	return ""
}
