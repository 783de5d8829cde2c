package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/values"
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
	prior, _, err := r.stateRelease(ctx, client, state, owner)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	if _, err := r.unblocked(ctx, client, prior.Owner, plan.Policy, &state); err != nil {
		resp.Diagnostics.Append(diagnostics(err)...)
		return
	}
	made, err := r.update(ctx, client, prior, state, plan)
	resp.Diagnostics.Append(made.warnings...)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		resp.Diagnostics.Append(made.computed(r.provider.Detail).attributes().Put(ctx, &resp.State.Raw)...)
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.computed(r.provider.Detail).attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
}

// update reserves the ports that are new, then brings the cluster from prior,
// the objects of the state, to the plan. What it returns exists, whatever the
// error. After one, the ports are the state's: those that were reserved since
// are found again by their owner.
func (r *Resource) update(ctx context.Context, client *cluster.Client, prior cluster.Release, state, plan Model) (existing, error) {
	left := existing{ports: goPorts(state.GatewayPorts), objects: prior.Objects, grants: policy.Grants(state.Policy)}
	reserved, err := r.reserve(ctx, client, prior.Owner, plan.Policy, priorPorts(&state, plan.Policy))
	if err != nil {
		left.objects = append(left.objects, reserved.created...)
		return left, err
	}
	first, objects, err := policy.Transition(
		policy.Version{Policy: state.Policy, Ports: goPorts(state.GatewayPorts)},
		policy.Version{Policy: plan.Policy, Ports: reserved.ports}, r.provider.Mesh)
	if err != nil {
		return left, err
	}
	release := cluster.Release{Owner: prior.Owner, First: first, Objects: objects}
	left.objects, err = client.Update(ctx, prior, release, values.Strings(state.Manifests), r.provider.Detail.Render)
	if err != nil {
		return left, err
	}
	return existing{ports: reserved.ports, objects: left.objects, grants: policy.Grants(plan.Policy), warnings: reserved.warnings}, nil
}
