package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Create implements resource.Resource. It answers once: whatever happened,
// the state says what was written, so that Terraform can destroy it.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := plan.Timeouts.Create(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	i := instance{r: r, client: client, policy: plan.Policy, owner: r.owner(plan.Policy, cluster.NewNonce())}
	to, err := i.newTarget(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	made, err := to.create(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
	}
	if !made.written {
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(Computed{
		Object:        types.StringValue(made.object.String()),
		EffectiveFrom: i.effectiveNow(ctx, &resp.Diagnostics),
		PreviousMode:  values.TextOrNull(made.previous),
		Drift:         values.Map(nil),
	}.attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.Policy.Identity(r.provider.Mesh))...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, made.record)...)
}

// effectiveNow returns the attribute `effective_from`. What cannot be looked at
// is null, with a warning: the policy itself is written.
func (i instance) effectiveNow(ctx context.Context, diags *diag.Diagnostics) types.Object {
	effective, err := i.effective(ctx)
	if err != nil {
		told := diagnostic(err)
		diags.AddWarning("What holds now cannot be told: "+told.Summary(), told.Detail())
		return types.ObjectNull(effectiveType)
	}
	return effectiveObject(effective)
}
