package values

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Decoder decodes objects of a schema into a T as tfsdk.State.Get does, but for
// two things: attributes that T has no field for are left out, and a null
// string with a default is the default, so that a configuration decodes too. It
// takes a fraction of the time: what to do at each value is settled once.
type Decoder[T any] struct{ decode decode }

// errNoPlace says that a value is null or unknown where the Go type has no
// place for that.
var errNoPlace = errors.New("values: null or unknown")

type decode func(from tftypes.Value, to reflect.Value) error

// NewDecoder returns the decoder of T, a struct whose fields name attributes in
// a tag `tfsdk`. It panics if T has a field that no attribute could decode to.
func NewDecoder[T any](attributes map[string]schema.Attribute) Decoder[T] {
	return Decoder[T]{structOf(reflect.TypeFor[T](), attributes)}
}

// Decode decodes an object. The error says only that it cannot be done.
func (d Decoder[T]) Decode(object tftypes.Value) (T, error) {
	var t T
	err := d.decode(object, reflect.ValueOf(&t).Elem())
	return t, err
}

// decoderOf returns how to decode into a type; attribute is nil for elements
// of collections that are no nested attributes.
func decoderOf(typ reflect.Type, attribute schema.Attribute) decode {
	switch typ.Kind() {
	case reflect.Pointer:
		return pointerTo(typ, attribute)
	case reflect.String:
		return stringOf(attribute)
	case reflect.Bool:
		return leaf(func(from tftypes.Value, to reflect.Value) error {
			var b bool
			err := from.As(&b)
			to.SetBool(b)
			return err
		})
	case reflect.Int64:
		return leaf(intOf)
	case reflect.Slice:
		return sliceOf(typ, attribute)
	case reflect.Map:
		return mapOf(typ)
	case reflect.Struct:
		if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
			return structOf(typ, nested.Attributes)
		}
	}
	panic(fmt.Sprintf("values: no way to decode %T into %s", attribute, typ))
}

// leaf takes care of null and unknown values.
func leaf(known decode) decode {
	return func(from tftypes.Value, to reflect.Value) error {
		if from.IsNull() || !from.IsKnown() {
			return errNoPlace
		}
		return known(from, to)
	}
}

func pointerTo(typ reflect.Type, attribute schema.Attribute) decode {
	element := decoderOf(typ.Elem(), attribute)
	return func(from tftypes.Value, to reflect.Value) error {
		if from.IsNull() {
			return nil
		}
		target := reflect.New(typ.Elem())
		to.Set(target)
		return element(from, target.Elem())
	}
}

func stringOf(attribute schema.Attribute) decode {
	known := leaf(func(from tftypes.Value, to reflect.Value) error {
		var s string
		err := from.As(&s)
		to.SetString(s)
		return err
	})
	fallback, has := defaultOf(attribute)
	if !has {
		return known
	}
	return func(from tftypes.Value, to reflect.Value) error {
		if from.IsNull() {
			to.SetString(fallback)
			return nil
		}
		return known(from, to)
	}
}

// defaultOf returns the default of a string attribute.
func defaultOf(attribute schema.Attribute) (string, bool) {
	text, ok := attribute.(schema.StringAttribute)
	if !ok || text.Default == nil {
		return "", false
	}
	var resp defaults.StringResponse
	text.Default.DefaultString(context.Background(), defaults.StringRequest{}, &resp)
	return resp.PlanValue.ValueString(), true
}

func intOf(from tftypes.Value, to reflect.Value) error {
	var number big.Float
	if err := from.As(&number); err != nil {
		return err
	}
	i, accuracy := number.Int64()
	if accuracy != big.Exact {
		return fmt.Errorf("values: %s is no int64", number.String())
	}
	to.SetInt(i)
	return nil
}

func sliceOf(typ reflect.Type, attribute schema.Attribute) decode {
	var element decode
	if nested, ok := attribute.(schema.ListNestedAttribute); ok {
		element = structOf(typ.Elem(), nested.NestedObject.Attributes)
	} else {
		element = decoderOf(typ.Elem(), nil)
	}
	return func(from tftypes.Value, to reflect.Value) error {
		if from.IsNull() {
			return nil
		}
		var elements []tftypes.Value
		if !from.IsKnown() {
			return errNoPlace
		}
		if err := from.As(&elements); err != nil {
			return err
		}
		slice := reflect.MakeSlice(typ, len(elements), len(elements))
		for i, value := range elements {
			if err := element(value, slice.Index(i)); err != nil {
				return err
			}
		}
		to.Set(slice)
		return nil
	}
}

func mapOf(typ reflect.Type) decode {
	element := decoderOf(typ.Elem(), nil)
	return func(from tftypes.Value, to reflect.Value) error {
		if from.IsNull() {
			return nil
		}
		var elements map[string]tftypes.Value
		if !from.IsKnown() {
			return errNoPlace
		}
		if err := from.As(&elements); err != nil {
			return err
		}
		decoded := reflect.MakeMapWithSize(typ, len(elements))
		for key, value := range elements {
			target := reflect.New(typ.Elem()).Elem()
			if err := element(value, target); err != nil {
				return err
			}
			decoded.SetMapIndex(reflect.ValueOf(key), target)
		}
		to.Set(decoded)
		return nil
	}
}

func structOf(typ reflect.Type, attributes map[string]schema.Attribute) decode {
	fields := make([]decode, typ.NumField())
	names := make([]string, typ.NumField())
	for i := range fields {
		field := typ.Field(i)
		names[i] = field.Tag.Get("tfsdk")
		attribute, ok := attributes[names[i]]
		if !ok {
			panic(fmt.Sprintf("values: %s.%s has no attribute", typ, field.Name))
		}
		fields[i] = decoderOf(field.Type, attribute)
	}
	return leaf(func(from tftypes.Value, to reflect.Value) error {
		var object map[string]tftypes.Value
		if err := from.As(&object); err != nil {
			return err
		}
		for i, field := range fields {
			value, ok := object[names[i]]
			if !ok {
				return errNoPlace
			}
			if err := field(value, to.Field(i)); err != nil {
				return err
			}
		}
		return nil
	})
}
