package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Update implements resource.Resource.
//
// After an error of a write the state keeps the prior intent, so that the next
// plan shows the change again, and names every object that exists now. After
// an error of the rollout the objects are as planned, and so is the state.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	owner, diags := r.ownerOf(ctx, req.Private, identityOf(state.Gateway))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout(limits(plan).Update, defaultWriteTimeout))
	defer cancel()

	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	prior, _ := r.stateRelease(state, owner)
	release := cluster.Release{Owner: owner, Objects: workload.Objects(plan.Gateway, r.provider.Mesh)}
	exist, err := client.Update(ctx, prior, release, values.Strings(state.Manifests), r.provider.Detail.Render)
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("manifests"), r.rendered(exist))...)
		return
	}
	made := r.compiled(plan.Gateway)
	made.Manifests = r.rendered(exist)
	made.Addresses, err = r.addresses(ctx, client, plan)
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(plan.Gateway))...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, owner)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(rollout(ctx, client, plan.Gateway)...)
	}
}
