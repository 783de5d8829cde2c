package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ValidateConfig implements resource.ResourceWithValidateConfig: what is wrong
// between attributes, once all of them are known. Single attributes are
// checked by their validators.
func (r *Resource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if !values.KnownBut(req.Config.Raw, computed) || hasNullElements(req.Config.Raw) {
		return
	}
	intent, diags := intentOf(ctx, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	mesh := compile.Mesh{}
	if r.provider != nil {
		mesh = r.provider.Mesh
	}
	resp.Diagnostics.Append(diagnose.Problems(workload.Validate(intent, mesh))...)
}
