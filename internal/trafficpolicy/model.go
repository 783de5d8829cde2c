package trafficpolicy

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/values"
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
		Drift:        values.Map(nil),
	}
}

// attributes returns the computed attributes by name.
func (c Computed) attributes() values.Attributes {
	return values.Attributes{"gateway_ports": c.GatewayPorts, "grants": c.Grants, "manifests": c.Manifests, "drift": c.Drift}
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
