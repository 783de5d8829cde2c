package nested_test

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/meshegress/terraform-provider-istio/internal/gateway"
	"github.com/meshegress/terraform-provider-istio/internal/nested"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// sample returns attributes that nest two deep.
func sample() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true},
		"rules": schema.ListNestedAttribute{Required: true, NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"port": schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{
					"number": schema.Int64Attribute{Required: true},
				}},
			},
		}},
	}
}

func TestTypesStay(t *testing.T) {
	before := schema.Schema{Attributes: sample()}
	after := schema.Schema{Attributes: nested.Settle(sample())}
	if !after.Type().Equal(before.Type()) {
		t.Errorf("the type is %s, and was %s", after.Type(), before.Type())
	}
	if diags := after.ValidateImplementation(t.Context()); diags.HasError() {
		t.Error(diags)
	}
	if after.Attributes["rules"].(schema.ListNestedAttribute).CustomType == nil {
		t.Error("the type of a list is put together each time")
	}
}

// The resources with many nested attributes do it.
func TestResourcesAreSettled(t *testing.T) {
	for name, r := range map[string]resource.Resource{"gateway": gateway.New(), "policy": trafficpolicy.New()} {
		var resp resource.SchemaResponse
		r.Schema(context.Background(), resource.SchemaRequest{}, &resp)
		for attribute, a := range resp.Schema.Attributes {
			switch a := a.(type) {
			case schema.ListNestedAttribute:
				if a.CustomType == nil {
					t.Errorf("%s: %s", name, attribute)
				}
			case schema.SingleNestedAttribute:
				if a.CustomType == nil {
					t.Errorf("%s: %s", name, attribute)
				}
			}
		}
	}
}
