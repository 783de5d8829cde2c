package gateway

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// computed are the attributes that are no part of the intent.
var computed = computedAttributes()

// intentKnown reports whether every attribute of the intent is known in a
// configuration or plan. Only then can the intent be decoded: it has no place
// for an unknown value.
func intentKnown(raw tftypes.Value) bool {
	var attributes map[string]tftypes.Value
	if raw.IsNull() || !raw.IsKnown() || raw.As(&attributes) != nil {
		return false
	}
	for name, value := range attributes {
		if _, provider := computed[name]; !provider && !value.IsFullyKnown() {
			return false
		}
	}
	return true
}

// intentOf decodes the intent of a wholly known configuration. Core shows a
// configuration to ValidateConfig before the schema's defaults are in it, and
// the intent has no place for a null where there is a default.
func intentOf(ctx context.Context, config tfsdk.Config) (workload.Gateway, diag.Diagnostics) {
	full := tfsdk.State{Schema: config.Schema, Raw: tftypes.NewValue(config.Schema.Type().TerraformType(ctx), nil)}
	empty := Model{Gateway: workload.Defaults(), Computed: Computed{Facts: unknownFacts(), Addresses: unknownAddresses(), Manifests: stringMap(nil), Drift: stringMap(nil)}}
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
