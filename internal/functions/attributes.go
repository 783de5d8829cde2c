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

// Attributes of the resources that a configuration can set, but `timeouts`.
var (
	policyAttributes  = sync.OnceValue(func() map[string]schema.Attribute { return settable(trafficpolicy.New(), timeoutsAttribute) })
	gatewayAttributes = sync.OnceValue(func() map[string]schema.Attribute { return settable(gateway.New(), timeoutsAttribute) })
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
	return types.ObjectValueFrom(ctx, typesOf(policyAttributes()), intent)
}

// gatewayObject returns an intent as an object. What it leaves out is null.
func gatewayObject(ctx context.Context, intent workload.Gateway) (types.Object, diag.Diagnostics) {
	// The struct has timeouts, which the object has not.
	whole, diags := types.ObjectValueFrom(ctx, typesOf(settable(gateway.New())), intent)
	if diags.HasError() {
		return whole, diags
	}
	values := whole.Attributes()
	delete(values, timeoutsAttribute)
	return types.ObjectValue(typesOf(gatewayAttributes()), values)
}
