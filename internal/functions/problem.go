package functions

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// mostShown bounds the text of an error.
const mostShown = 40

// argumentError returns the errors of an argument as one error of the function,
// nil if there are only warnings: a function has no place for those.
func argumentError(position int64, name string, problems []compile.Problem) *function.FuncError {
	var lines []string
	for _, problem := range problems {
		if !problem.Warning {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", attributePath(name, problem.Path), problem.Summary, problem.Detail))
		}
	}
	switch {
	case len(lines) == 0:
		return nil
	case len(lines) == 1:
		// Terraform adds a full stop.
		return function.NewArgumentFuncError(position, strings.TrimSuffix(lines[0], "."))
	}
	text := fmt.Sprintf("%d problems:\n  - %s", len(lines), strings.Join(lines[:min(len(lines), mostShown)], "\n  - "))
	if len(lines) > mostShown {
		text += fmt.Sprintf("\n  - and %d more", len(lines)-mostShown)
	}
	return function.NewArgumentFuncError(position, strings.TrimSuffix(text, "."))
}

var attributeName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_-]*$`)

// attributePath writes a path as policy.egress_rules[0].to[1].hosts.
func attributePath(root string, path []any) string {
	var out strings.Builder
	out.WriteString(root)
	for _, step := range path {
		name, isName := step.(string)
		switch {
		case isName && attributeName.MatchString(name):
			out.WriteString("." + name)
		case isName:
			fmt.Fprintf(&out, "[%q]", name)
		default:
			fmt.Fprintf(&out, "[%v]", step)
		}
	}
	return out.String()
}
