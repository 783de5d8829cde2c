package values

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Attributes are values of attributes at the root of a resource, by name.
type Attributes map[string]attr.Value

// Put writes attributes into the value of a plan or state that is not null,
// all at once: each SetAttribute of the framework would walk through the whole
// value and check it.
func (a Attributes) Put(ctx context.Context, raw *tftypes.Value) diag.Diagnostics {
	const summary = "The computed attributes cannot be written"
	var diags diag.Diagnostics
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil {
		diags.AddError(summary, err.Error())
		return diags
	}
	attributes = maps.Clone(attributes) // As hands out the map inside the value
	for name, value := range a {
		encoded, err := value.ToTerraformValue(ctx)
		if err != nil {
			diags.AddAttributeError(path.Root(name), summary, err.Error())
			return diags
		}
		attributes[name] = encoded
	}
	*raw = tftypes.NewValue(raw.Type(), attributes)
	return diags
}

// KnownBut reports whether every attribute of an object is wholly known, but
// for those with the names. Only then can what is left be decoded into plain
// Go values, which have no place for an unknown one. An object that is null or
// unknown is not.
func KnownBut[V any](raw tftypes.Value, names map[string]V) bool {
	var attributes map[string]tftypes.Value
	if raw.IsNull() || !raw.IsKnown() || raw.As(&attributes) != nil {
		return false
	}
	for name, value := range attributes {
		if _, but := names[name]; !but && !value.IsFullyKnown() {
			return false
		}
	}
	return true
}
