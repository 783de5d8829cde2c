package protocol

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// sample is a provider whose one resource has required attributes in elements
// of a list and of a map.
type sample struct{ provider.Provider }

func (sample) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "sample"
}
func (sample) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}
func (sample) DataSources(context.Context) []func() datasource.DataSource               { return nil }
func (sample) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return sampleResource{} }}
}

type sampleResource struct{ resource.Resource }

func (sampleResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "sample"
}

func (sampleResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	element := schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true},
		"part": schema.SingleNestedAttribute{Required: true, Attributes: map[string]schema.Attribute{"size": schema.Int64Attribute{Required: true}}},
	}}
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"list": schema.ListNestedAttribute{Required: true, NestedObject: element},
		"map":  schema.MapNestedAttribute{Required: true, NestedObject: element},
	}}
}

var (
	partType    = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"size": tftypes.Number}}
	elementType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String, "part": partType}}
	configType  = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"list": tftypes.List{ElementType: elementType}, "map": tftypes.Map{ElementType: elementType},
	}}
)

// errorsOf validates a configuration with one element in its list and its map.
func errorsOf(t *testing.T, server tfprotov6.ProviderServer, element tftypes.Value) int {
	t.Helper()
	config, err := tfprotov6.NewDynamicValue(configType, tftypes.NewValue(configType, map[string]tftypes.Value{
		"list": tftypes.NewValue(configType.AttributeTypes["list"], []tftypes.Value{element}),
		"map":  tftypes.NewValue(configType.AttributeTypes["map"], map[string]tftypes.Value{"k": element}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: "sample", Config: &config})
	if err != nil {
		t.Fatal(err)
	}
	return len(resp.Diagnostics)
}

func TestUnknownElements(t *testing.T) {
	server, err := New(sample{})()
	if err != nil {
		t.Fatal(err)
	}
	unknown := tftypes.NewValue(elementType, tftypes.UnknownValue)
	if n := errorsOf(t, server, unknown); n != 0 {
		t.Errorf("%d errors in a configuration whose elements are unknown", n)
	}
	// The reason for this package. Where the framework has learnt it, the
	// package can go.
	if n := errorsOf(t, providerserver.NewProtocol6(sample{})(), unknown); n == 0 {
		t.Error("terraform-plugin-framework takes unknown elements by itself now")
	}
	// What is missing in a known element is missing still.
	missing := tftypes.NewValue(elementType, map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, nil), "part": tftypes.NewValue(partType, tftypes.UnknownValue),
	})
	if n := errorsOf(t, server, missing); n != 2 {
		t.Errorf("%d errors in a configuration whose elements lack their name, want 2", n)
	}
}

// The optional calls of the framework's server are served too.
func TestServesWhatTheFrameworkServes(t *testing.T) {
	server, err := New(sample{})()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := server.(served); !ok {
		t.Error("list resources, actions or state stores are not passed on")
	}
}
