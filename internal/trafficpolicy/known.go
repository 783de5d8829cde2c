package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// providerAttributes are the attributes that are no part of the intent.
var providerAttributes = map[string]bool{
	"gateway_ports": true, "grants": true, "manifests": true, "drift": true, "timeouts": true,
}

// withDefaults puts the schema's defaults in place of nulls. Core shows a
// configuration to ValidateConfig before defaults are in it, and the intent
// has no place for a null where there is a default.
func withDefaults(ctx context.Context, s schema.Schema, raw tftypes.Value) (tftypes.Value, error) {
	return tftypes.Transform(raw, func(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if !value.IsNull() || len(at.Steps()) == 0 {
			return value, nil
		}
		attribute, err := s.AttributeAtTerraformPath(ctx, at)
		if err != nil {
			return value, nil //nolint:nilerr // an element of a list or map: it has no schema, so no default
		}
		withDefault, ok := attribute.(interface{ StringDefaultValue() defaults.String })
		if !ok || withDefault.StringDefaultValue() == nil {
			return value, nil
		}
		var resp defaults.StringResponse
		withDefault.StringDefaultValue().DefaultString(ctx, defaults.StringRequest{}, &resp)
		return resp.PlanValue.ToTerraformValue(ctx)
	})
}
