package values

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Defaults puts the defaults of a schema in place of nulls, as the framework
// does first with what core proposes. It goes only where there are defaults;
// those of strings are the ones it knows.
type Defaults func(tftypes.Value) tftypes.Value

// NewDefaults returns the defaults of the attributes of an object.
func NewDefaults(attributes map[string]schema.Attribute) Defaults {
	if fill := fillObject(attributes); fill != nil {
		return fill
	}
	return func(object tftypes.Value) tftypes.Value { return object }
}

// fillObject returns nil where there is nothing to fill in.
func fillObject(attributes map[string]schema.Attribute) Defaults {
	fills := map[string]Defaults{}
	for name, attribute := range attributes {
		if fill := fillAttribute(attribute); fill != nil {
			fills[name] = fill
		}
	}
	if len(fills) == 0 {
		return nil
	}
	return func(object tftypes.Value) tftypes.Value {
		var values map[string]tftypes.Value
		if object.IsNull() || !object.IsKnown() || object.As(&values) != nil {
			return object
		}
		values = maps.Clone(values) // As hands out the map inside the value
		for name, fill := range fills {
			values[name] = fill(values[name])
		}
		return tftypes.NewValue(object.Type(), values)
	}
}

func fillAttribute(attribute schema.Attribute) Defaults {
	switch attribute := attribute.(type) {
	case schema.StringAttribute:
		fallback, has := defaultOf(attribute)
		if !has {
			return nil
		}
		return func(value tftypes.Value) tftypes.Value {
			if value.IsNull() {
				return tftypes.NewValue(tftypes.String, fallback)
			}
			return value
		}
	case schema.SingleNestedAttribute:
		return fillObject(attribute.Attributes)
	case schema.ListNestedAttribute:
		fill := fillObject(attribute.NestedObject.Attributes)
		if fill == nil {
			return nil
		}
		return func(list tftypes.Value) tftypes.Value {
			var elements []tftypes.Value
			if list.IsNull() || !list.IsKnown() || list.As(&elements) != nil {
				return list
			}
			filled := make([]tftypes.Value, len(elements))
			for i, element := range elements {
				filled[i] = fill(element)
			}
			return tftypes.NewValue(list.Type(), filled)
		}
	}
	return nil
}
