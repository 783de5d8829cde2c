package trafficpolicy

import (
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// summaryError is an error of this package that is no attribute's.
type summaryError struct{ summary, detail string }

func (e *summaryError) Error() string { return e.summary + ": " + e.detail }

// attributeError is an error that an attribute of the configuration causes.
type attributeError struct {
	path            path.Path
	summary, detail string
}

func (e *attributeError) Error() string { return e.summary + ": " + e.detail }

// conflictError is what a policy would meet, found before the first write.
type conflictError struct{ conflicts []conflict.Conflict }

func (e *conflictError) Error() string {
	var lines []string
	for _, c := range e.conflicts {
		lines = append(lines, c.Summary+": "+c.Detail)
	}
	return strings.Join(lines, "\n")
}

// diagnostics turns an error into diagnostics.
func diagnostics(err error) diag.Diagnostics {
	var met *conflictError
	if !errors.As(err, &met) {
		return diag.Diagnostics{diagnostic(err)}
	}
	problems := make([]compile.Problem, len(met.conflicts))
	for i, c := range met.conflicts {
		problems[i] = c.Problem
		problems[i].Warning = false
	}
	return diagnose.Conflict.Problems(problems)
}

// diagnostic turns an error into a diagnostic, at the attribute that caused
// it where there is one.
func diagnostic(err error) diag.Diagnostic {
	var attribute *attributeError
	if errors.As(err, &attribute) {
		return diag.NewAttributeErrorDiagnostic(attribute.path, attribute.summary, attribute.detail)
	}
	var told *summaryError
	if errors.As(err, &told) {
		return diag.NewErrorDiagnostic(told.summary, told.detail)
	}
	return diagnose.Error(err)
}
