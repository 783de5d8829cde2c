package gateway

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// computed are the attributes that are no part of the intent.
var computed = computedAttributes()

// intentOf decodes the intent of a wholly known configuration. Core shows a
// configuration to ValidateConfig before the schema's defaults are in it, and
// the intent has no place for a null where there is a default.
func intentOf(ctx context.Context, config tfsdk.Config) (workload.Gateway, diag.Diagnostics) {
	full := tfsdk.State{Schema: config.Schema, Raw: tftypes.NewValue(config.Schema.Type().TerraformType(ctx), nil)}
	empty := Model{Gateway: workload.Defaults(), Computed: Computed{Facts: unknownFacts(), Addresses: unknownAddresses(), Manifests: values.Map(nil), Drift: values.Map(nil)}}
	diags := full.Set(ctx, empty)
	if diags.HasError() {
		return workload.Gateway{}, diags
	}
	var attributes, fallback map[string]tftypes.Value
	if err := config.Raw.As(&attributes); err != nil {
		diags.AddError("Configuration does not decode", err.Error())
		return workload.Gateway{}, diags
	}
	if err := full.Raw.As(&fallback); err != nil {
		diags.AddError("Defaults do not decode", err.Error())
		return workload.Gateway{}, diags
	}
	// As hands out the map inside the value.
	attributes = maps.Clone(attributes)
	for name, value := range attributes {
		if value.IsNull() {
			attributes[name] = fallback[name]
		}
	}
	full.Raw = tftypes.NewValue(config.Raw.Type(), attributes)
	var model Model
	diags.Append(full.Get(ctx, &model)...)
	return model.Gateway, diags
}

// hasNullElements reports whether a list or map has a null element. The
// validators refuse them, and the intent has no place for one.
func hasNullElements(raw tftypes.Value) bool {
	found := false
	// The callback returns no error, so Walk does not either.
	_ = tftypes.Walk(raw, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if steps := at.Steps(); len(steps) > 0 && value.IsNull() {
			switch steps[len(steps)-1].(type) {
			case tftypes.ElementKeyInt, tftypes.ElementKeyString:
				found = true
			}
		}
		return !found, nil
	})
	return found
}
