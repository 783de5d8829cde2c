package trafficpolicy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// standIns decodes a plan with a stand-in for each unknown value of the
// intent. Stand-ins are equal to nothing else. round is 0 or 1: each round has
// others, and what may be null is null in the second. The first has as many
// grants as any.
func standIns(ctx context.Context, plan tfsdk.Plan, round int) (policy.Policy, diag.Diagnostics) {
	var diags diag.Diagnostics
	s, ok := plan.Schema.(schema.Schema)
	if !ok {
		diags.AddError("The plan cannot be read", fmt.Sprintf("Expected schema.Schema, got %T. This is a bug of the provider.", plan.Schema))
		return policy.Policy{}, diags
	}
	f := filler{ctx: ctx, schema: s, round: round}
	raw, err := tftypes.Transform(plan.Raw, f.fill)
	if err != nil {
		diags.AddError("The plan cannot be read", err.Error())
		return policy.Policy{}, diags
	}
	var filled Model
	diags.Append((&tfsdk.Plan{Raw: raw, Schema: s}).Get(ctx, &filled)...)
	return filled.Policy, diags
}

// filler puts stand-ins in place of unknown values.
type filler struct {
	ctx    context.Context
	schema schema.Schema
	round  int
	made   int
}

func (f *filler) fill(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
	steps := at.Steps()
	if value.IsKnown() || len(steps) == 0 || providerAttributes[fmt.Sprint(steps[0])] {
		return value, nil
	}
	return f.standIn(at, value.Type())
}

// standIn returns a value for the attribute or element at a path.
func (f *filler) standIn(at *tftypes.AttributePath, typ tftypes.Type) (tftypes.Value, error) {
	f.made++
	switch typ := typ.(type) {
	case tftypes.Object:
		if f.mayBeNull(at) {
			return tftypes.NewValue(typ, nil), nil
		}
		attributes := map[string]tftypes.Value{}
		for _, name := range slices.Sorted(maps.Keys(typ.AttributeTypes)) {
			value, err := f.standIn(at.WithAttributeName(name), typ.AttributeTypes[name])
			if err != nil {
				return tftypes.Value{}, err
			}
			attributes[name] = value
		}
		return tftypes.NewValue(typ, attributes), nil
	case tftypes.List:
		if f.mayBeNull(at) {
			return tftypes.NewValue(typ, nil), nil
		}
		element, err := f.standIn(at.WithElementKeyInt(0), typ.ElementType)
		return tftypes.NewValue(typ, []tftypes.Value{element}), err
	case tftypes.Map:
		if f.mayBeNull(at) {
			return tftypes.NewValue(typ, nil), nil
		}
		key := f.name()
		element, err := f.standIn(at.WithElementKeyString(key), typ.ElementType)
		return tftypes.NewValue(typ, map[string]tftypes.Value{key: element}), err
	}
	switch {
	case typ.Is(tftypes.Bool):
		return tftypes.NewValue(typ, f.round == 0), nil
	case typ.Is(tftypes.Number):
		// Beyond all ports, so that it is none that is known.
		return tftypes.NewValue(typ, firstNumber+2*f.made+f.round), nil
	case typ.Is(tftypes.String):
		if choices, ok := choices[lastName(at)]; ok {
			return tftypes.NewValue(typ, choices[f.round]), nil
		}
		return tftypes.NewValue(typ, f.name()), nil
	}
	return tftypes.Value{}, fmt.Errorf("%s: the intent has no values of type %s", at, typ)
}

// firstNumber is where stand-ins for numbers begin.
const firstNumber = 100_000

func (f *filler) name() string { return fmt.Sprintf("unknown-%d-%d", f.round, f.made) }

// choices are the stand-ins of attributes that cannot be just any text. In the
// first round all that grants depend on is as in a mesh that grants most: two
// unknown values must not make up for each other.
var choices = map[string][2]string{
	"unselected_workloads": {policy.Direct, policy.Deny},
	"authorization":        {string(compile.AuthorizationAllowListed), string(compile.AuthorizationNone)},
	"protocol":             {policy.HTTP, policy.TCP},
	"mode":                 {policy.Simple, policy.Mutual},
	"timeout":              {"1s", "2s"},
	"per_try_timeout":      {"1s", "2s"},
}

// mayBeNull reports whether an attribute may be left out, in the round in
// which it is.
func (f *filler) mayBeNull(at *tftypes.AttributePath) bool {
	if f.round == 0 {
		return false
	}
	attribute, err := f.schema.AttributeAtTerraformPath(f.ctx, at)
	return err == nil && attribute.IsOptional()
}

// lastName returns the name of the attribute that a path leads to or into.
func lastName(at *tftypes.AttributePath) string {
	steps := at.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if name, ok := steps[i].(tftypes.AttributeName); ok {
			return string(name)
		}
	}
	return ""
}
