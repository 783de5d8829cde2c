package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
)

// Model is the resource: the intent, which the user writes, and what the
// provider computes. It can be decoded only where the intent is wholly known.
type Model struct {
	outbound.Policy
	Computed
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// Computed are the attributes that the provider answers.
type Computed struct {
	Object        types.String `tfsdk:"object"`
	EffectiveFrom types.Object `tfsdk:"effective_from"`
	PreviousMode  types.String `tfsdk:"previous_mode"`
	Drift         types.Map    `tfsdk:"drift"`
}

// computedNames are the attributes that are no part of the intent.
var computedNames = map[string]bool{"object": true, "effective_from": true, "previous_mode": true, "drift": true, "timeouts": true}

// intentKnown reports whether every attribute of the intent is known in a
// configuration, plan or state. Only then can it be decoded.
func intentKnown(raw tftypes.Value) bool {
	var attributes map[string]tftypes.Value
	if raw.IsNull() || !raw.IsKnown() || raw.As(&attributes) != nil {
		return false
	}
	for name, value := range attributes {
		if !computedNames[name] && !value.IsFullyKnown() {
			return false
		}
	}
	return true
}

// unknownComputed is what a plan says of something new. After an apply there
// is no drift, whatever the intent.
func unknownComputed() Computed {
	return Computed{
		Object:        types.StringUnknown(),
		EffectiveFrom: types.ObjectUnknown(effectiveType),
		PreviousMode:  types.StringUnknown(),
		Drift:         stringMap(nil),
	}
}

// setter is a tfsdk.State or tfsdk.Plan.
type setter interface {
	SetAttribute(ctx context.Context, p path.Path, value any) diag.Diagnostics
}

var (
	_ setter = (*tfsdk.State)(nil)
	_ setter = (*tfsdk.Plan)(nil)
)

// set writes the computed attributes into a plan or state.
func (c Computed) set(ctx context.Context, target setter) diag.Diagnostics {
	var diags diag.Diagnostics
	diags.Append(target.SetAttribute(ctx, path.Root("object"), c.Object)...)
	diags.Append(target.SetAttribute(ctx, path.Root("effective_from"), c.EffectiveFrom)...)
	diags.Append(target.SetAttribute(ctx, path.Root("previous_mode"), c.PreviousMode)...)
	diags.Append(target.SetAttribute(ctx, path.Root("drift"), c.Drift)...)
	return diags
}

// modeOrNull is a mode as an attribute; none is null.
func modeOrNull(mode string) types.String {
	if mode == "" {
		return types.StringNull()
	}
	return types.StringValue(mode)
}

var effectiveType = map[string]attr.Type{"level": types.StringType, "object": types.StringType, "mode": types.StringType}

// effectiveObject is the attribute `effective_from`.
func effectiveObject(e outbound.Effective) types.Object {
	return types.ObjectValueMust(effectiveType, map[string]attr.Value{
		"level": types.StringValue(string(e.Level)), "object": modeOrNull(e.Object), "mode": modeOrNull(e.Mode),
	})
}

// effectiveMode returns the mode in `effective_from`, empty if it is not known.
func effectiveMode(object types.Object) string {
	mode, _ := object.Attributes()["mode"].(types.String)
	return mode.ValueString()
}

func stringMap(values map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(values))
	for key, value := range values {
		elements[key] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, elements)
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
