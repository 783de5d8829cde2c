package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ModifyPlan implements resource.ResourceWithModifyPlan. What it says of values
// does not depend on the cluster, so that core, which plans again in another
// process during apply, gets the same answer; a look-up only adds diagnostics.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.provider == nil {
		return
	}
	var prior *Model
	if !req.State.Raw.IsNull() {
		prior = &Model{}
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.opensOnDestroy(prior)...)
		return
	}
	if !r.provider.MeshKnown || !values.KnownBut(req.Plan.Raw, computedNames) {
		computed := unknownComputed()
		if prior != nil {
			computed.PreviousMode = prior.PreviousMode
		}
		resp.Diagnostics.Append(computed.attributes().Put(ctx, &resp.Plan.Raw)...)
		return
	}
	var plan Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(diagnose.Problems(outbound.Validate(plan.Policy, r.provider.Mesh))...)
	if resp.Diagnostics.HasError() {
		return
	}

	computed := unknownComputed()
	if object, known := r.objectOf(plan.Policy); known {
		computed.Object = types.StringValue(object.String())
	}
	if prior == nil {
		resp.Diagnostics.Append(computed.attributes().Put(ctx, &resp.Plan.Raw)...)
		resp.Diagnostics.Append(r.lookUp(ctx, plan.Policy)...)
		resp.Diagnostics.Append(r.warnings(nil, plan.Policy)...)
		return
	}
	if computed.Object.IsUnknown() {
		computed.Object = prior.Object
	}
	if !computed.Object.Equal(prior.Object) {
		// The mesh config of another control plane: its own resource, even if
		// `revision` of the provider block alone has changed.
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("object"))
	}
	computed.PreviousMode, computed.EffectiveFrom = prior.PreviousMode, prior.EffectiveFrom
	resp.Diagnostics.Append(computed.attributes().Put(ctx, &resp.Plan.Raw)...)
	if resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	computed.EffectiveFrom = types.ObjectUnknown(effectiveType)
	resp.Diagnostics.Append(computed.attributes().Put(ctx, &resp.Plan.Raw)...)
	resp.Diagnostics.Append(r.warnings(prior, plan.Policy)...)
}

// objectOf returns what a policy will be written to, if that can be said
// without the cluster.
func (r *Resource) objectOf(p outbound.Policy) (manifest.ID, bool) {
	switch p.Scope() {
	case outbound.Mesh:
		return meshconfig.ConfigMap(r.provider.Mesh.RootNamespace, p.RevisionIn(r.provider.Mesh)), true
	case outbound.Workload:
		return sidecarID(*p.Namespace, *p.Name), true
	}
	return manifest.ID{}, false
}
