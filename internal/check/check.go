// Package check puts the checks of the compiler on single attributes, so that
// they speak up while others are still unknown. When all is known
// ValidateConfig may find the same problems at the same paths; the framework
// shows equal diagnostics once.
package check

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Of says what is wrong with a value, nil if nothing is.
type Of[T any] = func(T) *compile.Problem

// String checks a known string.
func String(check Of[string]) validator.String {
	return stringCheck{described("value is well-formed"), check}
}

// Int64 checks a known number.
func Int64(check Of[int64]) validator.Int64 { return intCheck{described("value is in range"), check} }

// Map checks the known elements of a map of strings.
func Map(check Of[map[string]string]) validator.Map {
	return mapCheck{described("keys and values are well-formed"), check}
}

type described string

func (d described) Description(context.Context) string         { return string(d) }
func (d described) MarkdownDescription(context.Context) string { return string(d) }

type stringCheck struct {
	described
	check Of[string]
}

func (c stringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() {
		report(&resp.Diagnostics, req.Path, c.check(req.ConfigValue.ValueString()))
	}
}

type intCheck struct {
	described
	check Of[int64]
}

func (c intCheck) ValidateInt64(_ context.Context, req validator.Int64Request, resp *validator.Int64Response) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() {
		report(&resp.Diagnostics, req.Path, c.check(req.ConfigValue.ValueInt64()))
	}
}

type mapCheck struct {
	described
	check Of[map[string]string]
}

func (c mapCheck) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	report(&resp.Diagnostics, req.Path, c.check(values.Strings(req.ConfigValue)))
}

func report(diags *diag.Diagnostics, at path.Path, problem *compile.Problem) {
	if problem != nil {
		diags.AddAttributeError(at, problem.Summary, problem.Detail)
	}
}
