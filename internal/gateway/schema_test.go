package gateway

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

func testSchema(t *testing.T) schema.Schema {
	t.Helper()
	var resp resource.SchemaResponse
	(&Resource{}).Schema(t.Context(), resource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	return resp.Schema
}

// names returns the tags of a struct, those of embedded structs included.
func names(typ reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for i := range typ.NumField() {
		field := typ.Field(i)
		if tag := field.Tag.Get("tfsdk"); tag != "" {
			found[tag] = field.Type
		} else if field.Anonymous {
			for name, typ := range names(field.Type) {
				found[name] = typ
			}
		}
	}
	return found
}

// TestParity: every attribute, at any depth, is a field of the model and the
// other way round, with a description for the registry page.
func TestParity(t *testing.T) {
	var walk func(at string, attributes map[string]schema.Attribute, model reflect.Type)
	walk = func(at string, attributes map[string]schema.Attribute, model reflect.Type) {
		for model.Kind() == reflect.Pointer || model.Kind() == reflect.Slice {
			model = model.Elem()
		}
		fields := names(model)
		for name, attribute := range attributes {
			path := at + name
			if _, ok := fields[name]; !ok {
				t.Errorf("attribute %s is not in %s", path, model)
				continue
			}
			if attribute.GetMarkdownDescription() == "" && !strings.HasPrefix(path, "timeouts") {
				t.Errorf("attribute %s has no description", path)
			}
			if attribute.IsComputed() && !attribute.IsOptional() {
				continue
			}
			switch nested := attribute.(type) {
			case schema.SingleNestedAttribute:
				walk(path+".", nested.Attributes, fields[name])
			case schema.ListNestedAttribute:
				walk(path+"[].", nested.NestedObject.Attributes, fields[name])
			}
			// Required and nullable are opposites, and a default makes a value certain.
			if nullable := fields[name].Kind() == reflect.Pointer || fields[name].Kind() == reflect.Map || fields[name].Kind() == reflect.Slice; !nullable && attribute.IsOptional() && !attribute.IsComputed() {
				t.Errorf("attribute %s may be null, and %s.%s cannot", path, model, name)
			}
		}
		for name := range fields {
			if _, ok := attributes[name]; !ok {
				t.Errorf("%s has %s%s, which is no attribute", model, at, name)
			}
		}
	}
	walk("", testSchema(t).Attributes, reflect.TypeFor[Model]())

	var resp datasource.SchemaResponse
	(&DataSource{}).Schema(t.Context(), datasource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	fields := names(reflect.TypeFor[dataModel]())
	for name := range resp.Schema.Attributes {
		if _, ok := fields[name]; !ok {
			t.Errorf("data source: attribute %s is not in the model", name)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("data source: %s is no attribute", name)
	}
}

// TestIntentThroughTerraform: an intent survives Terraform's values, null and
// empty told apart.
func TestIntentThroughTerraform(t *testing.T) {
	everything := workload.Defaults()
	everything.Name = "a"
	everything.Labels = map[string]string{}
	everything.Tolerations = []workload.Toleration{}
	create := "5m"
	everything.Timeouts = &workload.Timeouts{Create: &create}
	everything.Pod = &workload.Pod{ImagePullSecrets: []string{}, Env: map[string]string{"A": ""}}
	minimal := workload.Defaults()
	for name, want := range map[string]workload.Gateway{"minimal": minimal, "everything": everything} {
		t.Run(name, func(t *testing.T) {
			state := stateOf(t, want)
			var got Model
			if diags := state.Get(t.Context(), &got); diags.HasError() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(want, got.Gateway); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func stateOf(t *testing.T, g workload.Gateway) tfsdk.State {
	t.Helper()
	s := testSchema(t)
	state := tfsdk.State{Schema: s, Raw: tftypes.NewValue(s.Type().TerraformType(t.Context()), nil)}
	model := Model{Gateway: g, Computed: Computed{Facts: unknownFacts(), Addresses: unknownAddresses(), Manifests: values.Map(nil), Drift: values.Map(nil)}}
	if diags := state.Set(context.Background(), model); diags.HasError() {
		t.Fatal(diags)
	}
	return state
}

// TestDefaultsInValidation: a configuration that says only its name is
// validated with the values that the plan will have.
func TestDefaultsInValidation(t *testing.T) {
	s := testSchema(t)
	attributes := map[string]tftypes.Value{}
	object, ok := s.Type().TerraformType(t.Context()).(tftypes.Object)
	if !ok {
		t.Fatal("the schema is no object")
	}
	for name, typ := range object.AttributeTypes {
		attributes[name] = tftypes.NewValue(typ, nil)
	}
	attributes["name"] = tftypes.NewValue(tftypes.String, "a")
	config := tfsdk.Config{Schema: s, Raw: tftypes.NewValue(object, attributes)}
	if !values.KnownBut(config.Raw, computed) {
		t.Fatal("not known")
	}
	got, diags := intentOf(t.Context(), config)
	if diags.HasError() {
		t.Fatal(diags)
	}
	if !attributes["namespace"].IsNull() {
		t.Error("the configuration itself has changed")
	}
	want := workload.Defaults()
	want.Name = "a"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	attributes["labels"] = tftypes.NewValue(object.AttributeTypes["labels"], tftypes.UnknownValue)
	if values.KnownBut(tftypes.NewValue(object, attributes), computed) {
		t.Error("an unknown attribute is not seen")
	}
}
