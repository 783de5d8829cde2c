package outboundpolicy

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// noMesh stands for the facts of the mesh where none is needed.
var noMesh compile.Mesh

// summaryError is an error of this package that is no attribute's.
type summaryError struct{ summary, detail string }

// Summary is the short text of the error's diagnostic.
func (e *summaryError) Summary() string { return e.summary }

func (e *summaryError) Error() string { return e.detail }

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
	return diagnose.Error(err)
}
