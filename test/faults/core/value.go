package core

import (
	"fmt"
	"math/big"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Object is a configuration block or attribute, as its JSON form has it:
// strings, bools, numbers, []any and Object.
type Object = map[string]any

// encode turns plain data into a value of a type. What an object leaves out is
// null.
func encode(typ tftypes.Type, data any) (tftypes.Value, error) {
	if data == nil {
		return tftypes.NewValue(typ, nil), nil
	}
	switch typ := typ.(type) {
	case tftypes.Object:
		object, ok := data.(Object)
		if !ok {
			return tftypes.Value{}, fmt.Errorf("%T is no object", data)
		}
		for name := range object {
			if typ.AttributeTypes[name] == nil {
				return tftypes.Value{}, fmt.Errorf("there is no attribute %q", name)
			}
		}
		values := map[string]tftypes.Value{}
		for name, attribute := range typ.AttributeTypes {
			value, err := encode(attribute, object[name])
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
			}
			values[name] = value
		}
		return tftypes.NewValue(typ, values), nil
	case tftypes.Map:
		object, ok := data.(Object)
		if !ok {
			return tftypes.Value{}, fmt.Errorf("%T is no map", data)
		}
		values := map[string]tftypes.Value{}
		for key, element := range object {
			value, err := encode(typ.ElementType, element)
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", key, err)
			}
			values[key] = value
		}
		return tftypes.NewValue(typ, values), nil
	case tftypes.List:
		values, err := encodeAll(typ.ElementType, data)
		if err != nil {
			return tftypes.Value{}, err
		}
		return tftypes.NewValue(typ, values), nil
	case tftypes.Set:
		values, err := encodeAll(typ.ElementType, data)
		if err != nil {
			return tftypes.Value{}, err
		}
		return tftypes.NewValue(typ, values), nil
	}
	if number, ok := data.(int); ok {
		data = int64(number)
	}
	if err := tftypes.ValidateValue(typ, data); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(typ, data), nil
}

func encodeAll(typ tftypes.Type, data any) ([]tftypes.Value, error) {
	elements, ok := data.([]any)
	if !ok {
		return nil, fmt.Errorf("%T is no list", data)
	}
	values := make([]tftypes.Value, len(elements))
	for i, element := range elements {
		value, err := encode(typ, element)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		values[i] = value
	}
	return values, nil
}

// decode turns a value into plain data; unknown values become Unknown.
func decode(value tftypes.Value) any {
	if !value.IsKnown() {
		return Unknown
	}
	if value.IsNull() {
		return nil
	}
	var (
		object  map[string]tftypes.Value
		list    []tftypes.Value
		text    string
		boolean bool
		number  big.Float
	)
	switch {
	case value.Type().Is(tftypes.String):
		_ = value.As(&text)
		return text
	case value.Type().Is(tftypes.Bool):
		_ = value.As(&boolean)
		return boolean
	case value.Type().Is(tftypes.Number):
		_ = value.As(&number)
		whole, _ := number.Int64()
		return whole
	case value.As(&object) == nil:
		result := Object{}
		for name, element := range object {
			result[name] = decode(element)
		}
		return result
	case value.As(&list) == nil:
		result := make([]any, len(list))
		for i, element := range list {
			result[i] = decode(element)
		}
		return result
	}
	return fmt.Sprint(value)
}

// Unknown stands for a value that a plan does not know.
const Unknown = "(known after apply)"

// contradiction says where an answer is not what was planned, "" if nowhere
// (hashicorp/terraform internal/plans/objchange AssertObjectCompatible).
func contradiction(planned, got any, at string) string {
	if planned == Unknown {
		return ""
	}
	switch planned := planned.(type) {
	case Object:
		got, ok := got.(Object)
		if !ok || len(got) != len(planned) {
			return fmt.Sprintf("%s: planned %v, got %v", at, planned, got)
		}
		names := make([]string, 0, len(planned))
		for name := range planned {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if text := contradiction(planned[name], got[name], at+"."+name); text != "" {
				return text
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(planned) {
			return fmt.Sprintf("%s: planned %v, got %v", at, planned, got)
		}
		for i := range planned {
			if text := contradiction(planned[i], got[i], fmt.Sprintf("%s[%d]", at, i)); text != "" {
				return text
			}
		}
		return ""
	}
	if planned != got {
		return fmt.Sprintf("%s: planned %v, got %v", at, planned, got)
	}
	return ""
}
