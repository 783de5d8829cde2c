package trafficpolicy

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Model is the resource: the intent, which the user writes, and what the
// provider computes. It can be decoded only where the intent is wholly known.
type Model struct {
	policy.Policy
	Computed
	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// Computed are the attributes that the provider answers.
type Computed struct {
	GatewayPorts types.Map `tfsdk:"gateway_ports"`
	Grants       types.Set `tfsdk:"grants"`
	Manifests    types.Map `tfsdk:"manifests"`
	Drift        types.Map `tfsdk:"drift"`
}

// Identity is the resource's identity.
type Identity struct {
	Namespace string `tfsdk:"namespace"`
	Name      string `tfsdk:"name"`
}

// identityOf returns the identity of a policy: the namespace of its gateway
// and its name.
func identityOf(p policy.Policy) Identity {
	namespace, name := policy.Identity(p)
	return Identity{Namespace: namespace, Name: name}
}

// importID returns the identity in the form that `terraform import` takes.
func (i Identity) importID() string { return i.Namespace + "/" + i.Name }

// unknownComputed is what a plan says as long as the intent, or a fact of the
// mesh, is unknown. After an apply there is no drift, whatever the intent.
func unknownComputed() Computed {
	return Computed{
		GatewayPorts: types.MapUnknown(types.Int64Type),
		Grants:       types.SetUnknown(types.StringType),
		Manifests:    types.MapUnknown(types.StringType),
		Drift:        stringMap(nil),
	}
}

// set writes the computed attributes into a tfsdk.State or tfsdk.Plan, all at
// once: each SetAttribute would walk through the whole value and check it.
func (c Computed) set(ctx context.Context, target any) diag.Diagnostics {
	switch target := target.(type) {
	case *tfsdk.State:
		return c.onto(ctx, &target.Raw)
	case *tfsdk.Plan:
		return c.onto(ctx, &target.Raw)
	}
	panic(fmt.Sprintf("trafficpolicy: %T is neither a state nor a plan", target))
}

func (c Computed) onto(ctx context.Context, raw *tftypes.Value) diag.Diagnostics {
	var diags diag.Diagnostics
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil {
		diags.AddError("The computed attributes cannot be written", err.Error())
		return diags
	}
	attributes = maps.Clone(attributes) // As hands out the map inside the value
	for name, value := range map[string]attr.Value{
		"gateway_ports": c.GatewayPorts, "grants": c.Grants, "manifests": c.Manifests, "drift": c.Drift,
	} {
		encoded, err := value.ToTerraformValue(ctx)
		if err != nil {
			diags.AddAttributeError(path.Root(name), "The computed attributes cannot be written", err.Error())
			return diags
		}
		attributes[name] = encoded
	}
	*raw = tftypes.NewValue(raw.Type(), attributes)
	return diags
}

func stringMap(values map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(values))
	for key, value := range values {
		elements[key] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, elements)
}

func stringSet(values []string) types.Set {
	elements := make([]attr.Value, len(values))
	for i, value := range values {
		elements[i] = types.StringValue(value)
	}
	return types.SetValueMust(types.StringType, elements)
}

// goStrings returns the known elements of a map of strings.
func goStrings(m types.Map) map[string]string {
	values := make(map[string]string, len(m.Elements()))
	for key, element := range m.Elements() {
		if s, ok := element.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			values[key] = s.ValueString()
		}
	}
	return values
}

// portMap returns the ports by member; a member without one is unknown.
func portMap(ports map[string]int64, members []string) types.Map {
	elements := make(map[string]attr.Value, len(members))
	for _, member := range members {
		if port, ok := ports[member]; ok {
			elements[member] = types.Int64Value(port)
		} else {
			elements[member] = types.Int64Unknown()
		}
	}
	return types.MapValueMust(types.Int64Type, elements)
}

// goPorts returns the known elements of `gateway_ports`.
func goPorts(m types.Map) map[string]int64 {
	ports := make(map[string]int64, len(m.Elements()))
	for member, element := range m.Elements() {
		if port, ok := element.(types.Int64); ok && !port.IsNull() && !port.IsUnknown() {
			ports[member] = port.ValueInt64()
		}
	}
	return ports
}
