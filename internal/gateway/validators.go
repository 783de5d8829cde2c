package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// The validators below put the checks of package workload on single
// attributes, so that they speak up while others are still unknown. When all
// is known ValidateConfig finds the same problems at the same paths, and the
// framework shows equal diagnostics once.

type stringCheck struct{ check check[string] }

func (c stringCheck) Description(context.Context) string { return "value is well-formed" }

func (c stringCheck) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c stringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() {
		report(&resp.Diagnostics, req.Path, c.check(req.ConfigValue.ValueString()))
	}
}

type intCheck struct{ check check[int64] }

func (c intCheck) Description(context.Context) string { return "value is in range" }

func (c intCheck) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c intCheck) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() {
		report(&resp.Diagnostics, req.Path, c.check(req.ConfigValue.ValueInt64()))
	}
}

// mapCheck checks the known elements.
type mapCheck struct{ check check[map[string]string] }

func (c mapCheck) Description(context.Context) string { return "keys and values are well-formed" }

func (c mapCheck) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c mapCheck) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	report(&resp.Diagnostics, req.Path, c.check(goStrings(req.ConfigValue)))
}

func report(diags *diag.Diagnostics, at path.Path, problem *compile.Problem) {
	if problem != nil {
		diags.AddAttributeError(at, problem.Summary, problem.Detail)
	}
}

func stringChecks(checks []check[string]) []validator.String {
	var validators []validator.String
	for _, c := range checks {
		validators = append(validators, stringCheck{c})
	}
	return validators
}

func intChecks(checks []check[int64]) []validator.Int64 {
	var validators []validator.Int64
	for _, c := range checks {
		validators = append(validators, intCheck{c})
	}
	return validators
}

// goStrings returns the known elements of a map of strings.
func goStrings(m types.Map) map[string]string {
	values := make(map[string]string, len(m.Elements()))
	for key, element := range m.Elements() {
		if s, ok := element.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			values[key] = s.ValueString()
		}
	}
	return values
}
