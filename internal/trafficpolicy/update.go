package trafficpolicy

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Update implements resource.Resource.
//
// After an error the state keeps the prior intent, so that the next plan shows
// the change again, and names every object and port that exists now: what the
// unfinished update has added goes with the next apply, whatever it wants.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	identity := identityOf(state.Policy)
	owner, diags := r.ownerOf(ctx, req.Private, identity)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	client, err := r.connect(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	made, err := r.update(ctx, client, owner, state, plan)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		resp.Diagnostics.Append(made.computed(r.provider.Detail).set(ctx, &resp.State)...)
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.computed(r.provider.Detail).set(ctx, &resp.State)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
}

// update reserves the ports that are new, then brings the cluster from the
// state to the plan. What it returns describes what exists now; after an
// error its grants and first ports are the state's.
func (r *Resource) update(ctx context.Context, client *cluster.Client, owner cluster.Owner, state, plan Model) (planned, error) {
	prior, _, err := r.stateRelease(ctx, client, state, owner)
	unfinished := planned{
		slots:   policy.Slots(state.Policy),
		ports:   goPorts(state.GatewayPorts),
		objects: prior.Objects,
		grants:  policy.Grants(state.Policy),
	}
	if err != nil {
		return unfinished, err
	}
	reserved, gateways, err := r.reserve(ctx, client, prior.Owner, plan.Policy, priorPorts(&state, plan.Policy))
	// A member of both has its old port: on another gateway the new one is
	// found again by its owner.
	combined := maps.Clone(reserved)
	maps.Copy(combined, unfinished.ports)
	unfinished.ports = combined
	if err != nil {
		unfinished.objects = append(unfinished.objects, gateways...)
		return unfinished, err
	}
	objects, err := policy.Objects(plan.Policy, r.provider.Mesh, reserved)
	if err != nil {
		return unfinished, err
	}
	release := cluster.Release{Owner: prior.Owner, Objects: objects}
	exist, err := client.Update(ctx, prior, release, goStrings(state.Manifests), r.provider.Detail.Render)
	if err != nil {
		unfinished.objects = exist
		return unfinished, err
	}
	return planned{
		slots:   policy.Slots(plan.Policy),
		ports:   reserved,
		objects: exist,
		grants:  policy.Grants(plan.Policy),
	}, nil
}
