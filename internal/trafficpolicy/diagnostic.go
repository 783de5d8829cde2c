package trafficpolicy

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

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
