package mesh

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Model is the data source.
type Model struct {
	Revision          types.String `tfsdk:"revision"`
	Version           types.String `tfsdk:"version"`
	Revisions         types.Map    `tfsdk:"revisions"`
	RootNamespace     types.String `tfsdk:"root_namespace"`
	TrustDomain       types.String `tfsdk:"trust_domain"`
	DNSCapture        types.Bool   `tfsdk:"dns_capture"`
	OutboundMode      types.String `tfsdk:"outbound_mode"`
	Outbound          types.List   `tfsdk:"outbound"`
	AmbientNamespaces types.Set    `tfsdk:"ambient_namespaces"`
	EgressEnforced    types.Bool   `tfsdk:"egress_enforced"`
}

// outboundType is an element of `outbound`.
var outboundType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"scope": types.StringType, "namespace": types.StringType, "name": types.StringType,
	"workload_selector": types.MapType{ElemType: types.StringType},
	"level":             types.StringType, "object": types.StringType, "mode": types.StringType,
}}

// fill answers everything but `revision`.
func (m *Model) fill(seen look) diag.Diagnostics {
	m.Version = values.TextOrNull(versionOf(seen.plane.Deployment))
	m.Revisions = revisions(seen)
	m.RootNamespace = types.StringValue(seen.plane.RootNamespace())
	m.TrustDomain = types.StringValue(seen.plane.Config.TrustDomain)
	if seen.plane.Config.TrustDomain == "" {
		m.TrustDomain = types.StringValue(settings.DefaultTrustDomain)
	}
	m.DNSCapture = types.BoolValue(seen.plane.Config.DNSCapture == "true")
	m.AmbientNamespaces = types.SetNull(types.StringType)
	if seen.ambientKnown {
		m.AmbientNamespaces = values.Set(seen.ambient)
	}

	everywhere := seen.sidecars.Elsewhere(seen.plane.MeshMode())
	found := seen.sidecars.All(seen.plane.MeshMode())
	m.OutboundMode = values.TextOrNull(everywhere.Mode)
	m.EgressEnforced = enforced(seen, everywhere, found)
	elements := []attr.Value{element(outbound.Mesh, types.StringNull(), types.StringNull(), nil, everywhere)}
	for _, f := range found {
		scope := outbound.Namespace
		switch {
		case f.Selector != nil:
			scope = outbound.Workload
		case f.Namespace == seen.plane.RootNamespace():
			continue // that is what holds for the mesh
		}
		elements = append(elements, element(scope, types.StringValue(f.Namespace), types.StringValue(f.Name), f.Selector, f.Effective))
	}
	list, diags := types.ListValue(outboundType, elements)
	m.Outbound = list
	return diags
}

// enforced tells whether no sidecar lets traffic to undeclared hosts out. What
// cannot be seen makes it null, unless what can be seen says no.
func enforced(seen look, everywhere outbound.Effective, found []outbound.Found) types.Bool {
	known := seen.ambientKnown
	if len(seen.ambient) > 0 {
		return types.BoolValue(false)
	}
	modes := []string{everywhere.Mode}
	for _, f := range found {
		modes = append(modes, f.Mode)
	}
	for _, mode := range modes {
		switch mode {
		case meshconfig.RegistryOnly:
		case "":
			known = false
		default:
			return types.BoolValue(false)
		}
	}
	if !known {
		return types.BoolNull()
	}
	return types.BoolValue(true)
}

func element(scope outbound.Scope, namespace, name types.String, selector map[string]string, effective outbound.Effective) attr.Value {
	labels := types.MapNull(types.StringType)
	if selector != nil {
		labels = values.Map(selector)
	}
	return types.ObjectValueMust(outboundType.AttrTypes, map[string]attr.Value{
		"scope": types.StringValue(string(scope)), "namespace": namespace, "name": name, "workload_selector": labels,
		"level": types.StringValue(string(effective.Level)), "object": values.TextOrNull(effective.Object), "mode": values.TextOrNull(effective.Mode),
	})
}

// revisions returns the versions of all istiods, by revision.
func revisions(seen look) types.Map {
	versions := map[string]string{}
	for _, deployment := range seen.istiods {
		versions[settings.RevisionOf(deployment)] = versionOf(deployment)
	}
	return values.Map(versions)
}
