package fields

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one field that cannot be converted.
type Problem struct {
	// Path leads to the field in the custom resource, such as
	// spec.egressRules[0].to[1].port; empty for the text as a whole.
	Path string
	// Line is the field's line in the text, 0 if it has none.
	Line int
	// Text says what is wrong and what to do, without a full stop at the end.
	Text string
}

// String returns the problem on one line.
func (p Problem) String() string {
	switch {
	case p.Path == "" && p.Line == 0:
		return p.Text
	case p.Path == "":
		return fmt.Sprintf("line %d: %s", p.Line, p.Text)
	case p.Line == 0:
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s (line %d): %s", p.Path, p.Line, p.Text)
}

// mostShown bounds an error's text. Who converts a thousand entries with one
// field that is not known needs to read it once.
const mostShown = 40

// Problems is why a text was not converted: all of it, in the order of lines.
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if len(sorted) == 1 {
		return sorted[0].String()
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d problems:", len(sorted))
	for i, problem := range sorted {
		if i == mostShown {
			fmt.Fprintf(&out, "\n  - and %d more", len(sorted)-i)
			break
		}
		out.WriteString("\n  - " + problem.String())
	}
	return out.String()
}

// Err returns the problems as an error, nil if there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
