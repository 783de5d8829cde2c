package functions

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/gateway"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// timeoutsAttribute is what a configuration can set and no object says.
const timeoutsAttribute = "timeouts"

// What a configuration can set, but `timeouts`, is the same in each of a
// thousand calls.
var (
	policyAttributes = sync.OnceValue(func() map[string]schema.Attribute { return settable(trafficpolicy.New(), timeoutsAttribute) })
	policyTypes      = sync.OnceValue(func() map[string]attr.Type { return typesOf(policyAttributes()) })
	gatewayTypes     = sync.OnceValue(func() map[string]attr.Type { return typesOf(settable(gateway.New(), timeoutsAttribute)) })
	// intentTypes are those of the struct, which has timeouts.
	intentTypes = sync.OnceValue(func() map[string]attr.Type { return typesOf(settable(gateway.New())) })
)

func settable(r resource.Resource, but ...string) map[string]schema.Attribute {
	var resp resource.SchemaResponse
	r.Schema(context.Background(), resource.SchemaRequest{}, &resp)
	attributes := map[string]schema.Attribute{}
	for name, attribute := range resp.Schema.Attributes {
		if (attribute.IsRequired() || attribute.IsOptional()) && !slices.Contains(but, name) {
			attributes[name] = attribute
		}
	}
	return attributes
}

// typesOf returns the types of attributes.
func typesOf(attributes map[string]schema.Attribute) map[string]attr.Type {
	all := map[string]attr.Type{}
	for name, attribute := range attributes {
		all[name] = attribute.GetType()
	}
	return all
}

// policyObject returns an intent as an object. What it leaves out is null.
func policyObject(ctx context.Context, intent policy.Policy) (types.Object, diag.Diagnostics) {
	return types.ObjectValueFrom(ctx, policyTypes(), intent)
}

// gatewayObject returns an intent as an object. What it leaves out is null.
func gatewayObject(ctx context.Context, intent workload.Gateway) (types.Object, diag.Diagnostics) {
	whole, diags := types.ObjectValueFrom(ctx, intentTypes(), intent)
	if diags.HasError() {
		return whole, diags
	}
	values := whole.Attributes()
	delete(values, timeoutsAttribute)
	return types.ObjectValue(gatewayTypes(), values)
}
