package values_test

import (
	"maps"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/values"
)

var object = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"name": tftypes.String, "drift": tftypes.Map{ElementType: tftypes.String},
}}

func value(name any, drift any) tftypes.Value {
	return tftypes.NewValue(object, map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, name), "drift": tftypes.NewValue(object.AttributeTypes["drift"], drift),
	})
}

func TestPut(t *testing.T) {
	before := value("a", tftypes.UnknownValue)
	raw := before
	answers := values.Attributes{"drift": values.Map(map[string]string{"k": "v"})}
	if diags := answers.Put(t.Context(), &raw); diags.HasError() {
		t.Fatal(diags)
	}
	if want := value("a", map[string]tftypes.Value{"k": tftypes.NewValue(tftypes.String, "v")}); !raw.Equal(want) {
		t.Errorf("got %s, want %s", raw, want)
	}
	// Plan and prior state may share what is inside of a value.
	if !before.Equal(value("a", tftypes.UnknownValue)) {
		t.Errorf("the value that it was made from has changed: %s", before)
	}
}

func TestKnownBut(t *testing.T) {
	computed := map[string]bool{"drift": true}
	for name, c := range map[string]struct {
		raw  tftypes.Value
		want bool
	}{
		"known":              {value("a", nil), true},
		"a name is unknown":  {value("a", tftypes.UnknownValue), true},
		"another is unknown": {value(tftypes.UnknownValue, nil), false},
		"null":               {tftypes.NewValue(object, nil), false},
		"unknown":            {tftypes.NewValue(object, tftypes.UnknownValue), false},
	} {
		if got := values.KnownBut(c.raw, computed); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestStrings(t *testing.T) {
	partly := types.MapValueMust(types.StringType, map[string]attr.Value{
		"known": types.StringValue("v"), "unknown": types.StringUnknown(), "null": types.StringNull(),
	})
	if got := values.Strings(partly); !maps.Equal(got, map[string]string{"known": "v"}) {
		t.Errorf("got %v", got)
	}
	if got := values.Strings(types.MapUnknown(types.StringType)); got == nil || len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
