package outboundpolicy

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/values"
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

// unknownComputed is what a plan says of something new. After an apply there
// is no drift, whatever the intent.
func unknownComputed() Computed {
	return Computed{
		Object:        types.StringUnknown(),
		EffectiveFrom: types.ObjectUnknown(effectiveType),
		PreviousMode:  types.StringUnknown(),
		Drift:         values.Map(nil),
	}
}

// attributes returns the computed attributes by name.
func (c Computed) attributes() values.Attributes {
	return values.Attributes{
		"object": c.Object, "effective_from": c.EffectiveFrom, "previous_mode": c.PreviousMode, "drift": c.Drift,
	}
}

var effectiveType = map[string]attr.Type{"level": types.StringType, "object": types.StringType, "mode": types.StringType}

// effectiveObject is the attribute `effective_from`.
func effectiveObject(e outbound.Effective) types.Object {
	return types.ObjectValueMust(effectiveType, map[string]attr.Value{
		"level": types.StringValue(string(e.Level)), "object": values.TextOrNull(e.Object), "mode": values.TextOrNull(e.Mode),
	})
}

// effectiveMode returns the mode in `effective_from`, empty if it is not known.
func effectiveMode(object types.Object) string {
	mode, _ := object.Attributes()["mode"].(types.String)
	return mode.ValueString()
}
