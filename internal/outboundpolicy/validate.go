package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// ValidateConfig implements resource.ResourceWithValidateConfig: which
// attributes go together. One that is not known yet is taken to be there or
// not, whichever breaks no rule.
func (r *Resource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var namespace, name types.String
	var selector types.Map
	for at, target := range map[string]any{"namespace": &namespace, "name": &name, "workload_selector": &selector} {
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(at), target)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	p := outbound.Policy{Namespace: namespace.ValueStringPointer(), Name: name.ValueStringPointer()}
	selects := !selector.IsNull()
	if selector.IsUnknown() {
		selects = !name.IsNull() && !name.IsUnknown()
	}
	if selects {
		p.WorkloadSelector = map[string]string{}
	}
	if name.IsUnknown() && !selects {
		p.Name = nil
	}
	resp.Diagnostics.Append(diagnose.Problems(outbound.Validate(p, r.mesh()))...)
}

// mesh returns the facts of the mesh, empty as long as they are unknown.
func (r *Resource) mesh() compile.Mesh {
	if r.provider == nil || !r.provider.MeshKnown {
		return compile.Mesh{}
	}
	return r.provider.Mesh
}
