package trafficpolicy

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"
)

func testSchema(t rapid.TB) schema.Schema {
	t.Helper()
	var resp resource.SchemaResponse
	(&Resource{}).Schema(context.Background(), resource.SchemaRequest{}, &resp)
	if resp.Diagnostics.HasError() {
		t.Fatal(resp.Diagnostics)
	}
	return resp.Schema
}

func TestSchemaIsValid(t *testing.T) {
	s := testSchema(t)
	if diags := s.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
}

// Every attribute is written for the registry page.
func TestEveryAttributeIsDescribed(t *testing.T) {
	walkAttributes(testSchema(t).Attributes, "", func(at string, attribute schema.Attribute) {
		if attribute.GetMarkdownDescription() == "" && attribute.GetDescription() == "" {
			t.Errorf("%s has no description", at)
		}
	})
}

func walkAttributes(attributes map[string]schema.Attribute, prefix string, visit func(string, schema.Attribute)) {
	for name, attribute := range attributes {
		visit(prefix+name, attribute)
		switch nested := attribute.(type) {
		case schema.SingleNestedAttribute:
			walkAttributes(nested.Attributes, prefix+name+".", visit)
		case schema.ListNestedAttribute:
			walkAttributes(nested.NestedObject.Attributes, prefix+name+"[].", visit)
		}
	}
}

// The model has exactly the attributes of the schema, at every depth: a value
// of the schema's type with every attribute set decodes into it and back.
func TestModelMatchesSchema(t *testing.T) {
	ctx := t.Context()
	s := testSchema(t)
	full := sample(s.Type().TerraformType(ctx))
	state := tfsdk.State{Raw: full, Schema: s}
	var model Model
	if diags := state.Get(ctx, &model); diags.HasError() {
		t.Fatal(diags)
	}
	if diags := state.Set(ctx, model); diags.HasError() {
		t.Fatal(diags)
	}
	if !state.Raw.Equal(full) {
		diff, _ := full.Diff(state.Raw)
		t.Errorf("the model loses values: %v", diff)
	}
}

// Null stays null and an empty collection stays empty: otherwise a plan would
// contradict its configuration.
func TestModelKeepsNull(t *testing.T) {
	ctx := t.Context()
	s := testSchema(t)
	full := tfsdk.State{Raw: sample(s.Type().TerraformType(ctx)), Schema: s}
	walkAttributes(s.Attributes, "", func(at string, attribute schema.Attribute) {
		if attribute.IsRequired() || attribute.IsComputed() || attribute.GetDescription() != "" {
			return // GetDescription: only `timeouts` has attributes of that kind
		}
		raw, err := tftypes.Transform(full.Raw, func(p *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
			if pathText(p) == at {
				return tftypes.NewValue(value.Type(), nil), nil
			}
			return value, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		state := tfsdk.State{Raw: raw, Schema: s}
		var model Model
		if diags := state.Get(ctx, &model); diags.HasError() {
			t.Fatalf("%s = null: %v", at, diags)
		}
		if diags := state.Set(ctx, model); diags.HasError() {
			t.Fatal(diags)
		}
		if !state.Raw.Equal(raw) {
			diff, _ := raw.Diff(state.Raw)
			t.Errorf("%s = null is lost: %v", at, diff)
		}
	})
}

// pathText returns a path as walkAttributes writes it.
func pathText(p *tftypes.AttributePath) string {
	var text string
	for _, step := range p.Steps() {
		switch s := step.(type) {
		case tftypes.AttributeName:
			if text != "" {
				text += "."
			}
			text += string(s)
		case tftypes.ElementKeyInt:
			text += "[]"
		case tftypes.ElementKeyString:
			text += "{}"
		}
	}
	return text
}

// sample returns a value of a type with everything set.
func sample(typ tftypes.Type) tftypes.Value {
	switch {
	case typ.Is(tftypes.String):
		return tftypes.NewValue(typ, "1s")
	case typ.Is(tftypes.Number):
		return tftypes.NewValue(typ, 7)
	case typ.Is(tftypes.Bool):
		return tftypes.NewValue(typ, true)
	}
	switch typed := typ.(type) {
	case tftypes.List:
		return tftypes.NewValue(typ, []tftypes.Value{sample(typed.ElementType)})
	case tftypes.Set:
		return tftypes.NewValue(typ, []tftypes.Value{sample(typed.ElementType)})
	case tftypes.Map:
		return tftypes.NewValue(typ, map[string]tftypes.Value{"k": sample(typed.ElementType)})
	case tftypes.Object:
		attributes := map[string]tftypes.Value{}
		for name, attributeType := range typed.AttributeTypes {
			attributes[name] = sample(attributeType)
		}
		return tftypes.NewValue(typ, attributes)
	}
	panic(typ.String())
}
