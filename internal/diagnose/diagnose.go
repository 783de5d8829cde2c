package diagnose

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Problems returns one diagnostic per problem, at the attribute that its path
// leads to.
func Problems(problems []compile.Problem) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, p := range problems {
		at := Path(p.Path)
		if p.Topic != "" {
			p.Detail = Topic(p.Topic).With(p.Detail)
		}
		switch {
		case p.Warning && len(p.Path) == 0:
			diags.AddWarning(p.Summary, p.Detail)
		case p.Warning:
			diags.AddAttributeWarning(at, p.Summary, p.Detail)
		case len(p.Path) == 0:
			diags.AddError(p.Summary, p.Detail)
		default:
			diags.AddAttributeError(at, p.Summary, p.Detail)
		}
	}
	return diags
}

// attributeName is what a Terraform attribute may be called.
var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Path turns the path of a problem into one of Terraform: an int is the index
// of a list, a string the name of an attribute. A string that cannot be one,
// such as a label key, is the key of a map.
func Path(steps []any) path.Path {
	at := path.Empty()
	for _, step := range steps {
		switch s := step.(type) {
		case string:
			if attributeName.MatchString(s) {
				at = at.AtName(s)
			} else {
				at = at.AtMapKey(s)
			}
		case int:
			at = at.AtListIndex(s)
		default:
			panic(fmt.Sprintf("diagnose: step %v of type %T in the path of a problem", step, step))
		}
	}
	return at
}

// Error returns the diagnostic of an error of the engine, or of one that brings
// its own summary.
func Error(err error) diag.Diagnostic {
	var own interface {
		error
		Summary() string
	}
	var summary, detail string
	if errors.As(err, &own) {
		summary, detail = own.Summary(), own.Error()
	} else {
		summary, detail = cluster.Explain(err)
	}
	if topic, ok := topicOf(err); ok {
		detail = topic.With(detail)
	}
	return diag.NewErrorDiagnostic(summary, detail)
}
