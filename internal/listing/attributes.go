package listing

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Name is an optional attribute of a list block that is the name of a namespace
// or a Service.
func Name(description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Validators:          []validator.String{check.String(checkName)},
	}
}

func checkName(name string) *compile.Problem {
	if found := validation.IsDNS1123Label(name); len(found) > 0 {
		return &compile.Problem{Summary: "Invalid name", Detail: fmt.Sprintf("%q: %s.", name, strings.Join(found, "; "))}
	}
	return nil
}
