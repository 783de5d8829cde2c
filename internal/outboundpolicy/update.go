package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Update implements resource.Resource. After an error the state is the prior
// one: an update is one write, and the next refresh shows whether it was made.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Update(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	i, diags := r.existing(ctx, plan.Policy, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	to, err := i.oldTarget(ctx, state.Object.ValueString())
	if err == nil {
		err = to.update(ctx, state)
	}
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(Computed{
		Object:        state.Object,
		EffectiveFrom: i.effectiveNow(ctx, &resp.Diagnostics),
		PreviousMode:  state.PreviousMode,
		Drift:         values.Map(nil),
	}.attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.Policy.Identity(r.provider.Mesh))...)
}
