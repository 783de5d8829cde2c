package functions

import (
	"fmt"
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
			lines = append(lines, fmt.Sprintf("%s: %s: %s", compile.PathText(append([]any{name}, problem.Path...)), problem.Summary, problem.Detail))
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
