package functions

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// decode reads an object by the schema of its attributes into an intent, whose
// json tags are their names. It does what Terraform does for a resource block:
// it converts types, puts defaults in, and refuses unknown and missing names.
// Nulls in a list, and lists and maps that must not be empty, are refused as the
// resources' validators do: an empty list of service accounts, say, must not
// mean any.
func decode(ctx context.Context, attributes map[string]schema.Attribute, argument types.Dynamic, intent any) []compile.Problem {
	d := &decoder{ctx: ctx}
	values, ok := d.object(nil, attributes, argument.UnderlyingValue())
	if !ok || len(d.problems) > 0 {
		return d.problems
	}
	text, err := json.Marshal(values)
	if err == nil {
		err = json.Unmarshal(text, intent)
	}
	if err != nil {
		d.fail(nil, "Not an intent", "%s. This is a bug of the provider.", err)
	}
	return d.problems
}

// decoder collects problems.
type decoder struct {
	ctx      context.Context
	problems []compile.Problem
}

func (d *decoder) fail(at []any, summary, format string, args ...any) {
	d.problems = append(d.problems, compile.Problem{Path: at, Summary: summary, Detail: fmt.Sprintf(format, args...)})
}

func below(at []any, step any) []any { return append(slices.Clone(at), step) }

// object returns the attributes that are set.
func (d *decoder) object(at []any, attributes map[string]schema.Attribute, value attr.Value) (map[string]any, bool) {
	given, ok := fields(value)
	if !ok {
		d.fail(at, "Not an object", "An object with the attributes %s is expected here.", names(attributes))
		return nil, false
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := attributes[name]; !known {
			d.fail(below(at, name), "Unknown attribute", "The attributes here are %s.", names(attributes))
		}
	}
	all := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		attribute := attributes[name]
		value, isSet := given[name]
		if !isSet || isNull(value) {
			if fallback := d.fallback(attribute); fallback != "" {
				all[name] = fallback
			} else if attribute.IsRequired() {
				d.fail(below(at, name), "Missing attribute", "It is required.")
			}
			continue
		}
		if plain, ok := d.value(below(at, name), attribute, value); ok {
			all[name] = plain
		}
	}
	return all, true
}

// fallback returns the default of an attribute. Only strings have one.
func (d *decoder) fallback(attribute schema.Attribute) string {
	withDefault, ok := attribute.(interface{ StringDefaultValue() defaults.String })
	if !ok || withDefault.StringDefaultValue() == nil {
		return ""
	}
	var resp defaults.StringResponse
	withDefault.StringDefaultValue().DefaultString(d.ctx, defaults.StringRequest{}, &resp)
	return resp.PlanValue.ValueString()
}

// value returns the value of one attribute in the form of JSON.
func (d *decoder) value(at []any, attribute schema.Attribute, value attr.Value) (any, bool) {
	switch attribute := attribute.(type) {
	case schema.SingleNestedAttribute:
		return d.object(at, attribute.Attributes, value)
	case schema.ListNestedAttribute:
		return d.list(at, attribute, value, func(at []any, element attr.Value) (any, bool) {
			return d.object(at, attribute.NestedObject.Attributes, element)
		})
	case schema.ListAttribute:
		return d.list(at, attribute, value, d.element(attribute.ElementType))
	case schema.MapAttribute:
		return d.mapping(at, attribute, value)
	}
	return d.primitive(at, attribute.GetType(), value)
}

func (d *decoder) element(typ attr.Type) func([]any, attr.Value) (any, bool) {
	return func(at []any, element attr.Value) (any, bool) { return d.primitive(at, typ, element) }
}

func (d *decoder) list(at []any, attribute schema.Attribute, value attr.Value, element func([]any, attr.Value) (any, bool)) (any, bool) {
	given, ok := elements(value)
	if !ok {
		d.fail(at, "Not a list", "A list is expected here.")
		return nil, false
	}
	d.notEmpty(at, attribute, len(given))
	all := []any{}
	for i, value := range given {
		if isNull(value) {
			d.fail(below(at, i), "Null in a list", "A list has no null elements.")
			continue
		}
		if plain, ok := element(below(at, i), value); ok {
			all = append(all, plain)
		}
	}
	return all, true
}

func (d *decoder) mapping(at []any, attribute schema.MapAttribute, value attr.Value) (any, bool) {
	given, ok := fields(value)
	if !ok {
		d.fail(at, "Not a map", "A map is expected here.")
		return nil, false
	}
	d.notEmpty(at, attribute, len(given))
	all := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if isNull(given[key]) {
			d.fail(below(at, key), "Null in a map", "A map has no null elements.")
			continue
		}
		if plain, ok := d.primitive(below(at, key), attribute.ElementType, given[key]); ok {
			all[key] = plain
		}
	}
	return all, true
}

// notEmpty refuses a list or map without elements where the schema's
// validators do.
func (d *decoder) notEmpty(at []any, attribute schema.Attribute, size int) {
	if size == 0 && attribute.IsOptional() && d.refusesEmpty(attribute) {
		d.fail(at, "Empty", "It has at least one element. Leave the attribute out, or set it to null, for its default.")
	}
}

// refusesEmpty asks the validators of a list or map what they say of an empty
// one.
func (d *decoder) refusesEmpty(attribute schema.Attribute) bool {
	var diags diag.Diagnostics
	switch attribute := attribute.(type) {
	case schema.ListAttribute:
		for _, v := range attribute.Validators {
			var resp validator.ListResponse
			v.ValidateList(d.ctx, validator.ListRequest{ConfigValue: types.ListValueMust(attribute.ElementType, nil)}, &resp)
			diags.Append(resp.Diagnostics...)
		}
	case schema.MapAttribute:
		for _, v := range attribute.Validators {
			var resp validator.MapResponse
			v.ValidateMap(d.ctx, validator.MapRequest{ConfigValue: types.MapValueMust(attribute.ElementType, nil)}, &resp)
			diags.Append(resp.Diagnostics...)
		}
	}
	return diags.HasError()
}

// primitive converts as Terraform does between strings, numbers and Booleans.
func (d *decoder) primitive(at []any, typ attr.Type, value attr.Value) (any, bool) {
	text, isScalar := scalar(value)
	switch {
	case !isScalar:
	case typ.Equal(types.StringType):
		return text, true
	case typ.Equal(types.Int64Type):
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return number, true
		}
		d.fail(at, "Not a whole number", "%q is not a whole number.", text)
		return nil, false
	case typ.Equal(types.BoolType):
		if text == "true" || text == "false" {
			return text == "true", true
		}
		d.fail(at, "Not a Boolean", "%q is neither true nor false.", text)
		return nil, false
	}
	d.fail(at, "Wrong type", "%s is expected here.", describe(typ))
	return nil, false
}

// describe names a type in words.
func describe(typ attr.Type) string {
	switch {
	case typ.Equal(types.StringType):
		return "A string"
	case typ.Equal(types.Int64Type):
		return "A number"
	case typ.Equal(types.BoolType):
		return "A Boolean"
	}
	return typ.String()
}

// scalar returns a string, number or Boolean as Terraform writes it.
func scalar(value attr.Value) (string, bool) {
	switch value := value.(type) {
	case types.String:
		return value.ValueString(), true
	case types.Bool:
		return strconv.FormatBool(value.ValueBool()), true
	case types.Number:
		return number(value.ValueBigFloat()), true
	case types.Dynamic:
		return scalar(value.UnderlyingValue())
	}
	return "", false
}

func number(value *big.Float) string {
	if value.IsInt() {
		return value.Text('f', 0)
	}
	return value.Text('g', -1)
}

// fields returns what an object or map holds.
func fields(value attr.Value) (map[string]attr.Value, bool) {
	switch value := value.(type) {
	case types.Object:
		return value.Attributes(), true
	case types.Map:
		return value.Elements(), true
	case types.Dynamic:
		return fields(value.UnderlyingValue())
	}
	return nil, false
}

// elements returns what a list, tuple or set holds.
func elements(value attr.Value) ([]attr.Value, bool) {
	switch value := value.(type) {
	case types.List:
		return value.Elements(), true
	case types.Tuple:
		return value.Elements(), true
	case types.Set:
		return value.Elements(), true
	case types.Dynamic:
		return elements(value.UnderlyingValue())
	}
	return nil, false
}

func isNull(value attr.Value) bool {
	if dynamic, ok := value.(types.Dynamic); ok {
		return dynamic.IsNull() || dynamic.IsUnderlyingValueNull()
	}
	return value.IsNull()
}

// names lists attributes for a diagnostic.
func names(attributes map[string]schema.Attribute) string {
	return strings.Join(slices.Sorted(maps.Keys(attributes)), ", ")
}
