package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Read implements resource.Resource: it compares the mode, and what a Sidecar
// repeats, with what is there. It never changes what the user wrote.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.provider.MeshKnown {
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	kept, diags := recordOf(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	client, err := r.provider.Connect()
	if settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &resource.Deferred{Reason: resource.DeferredReasonProviderConfigUnknown}
		return
	}
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	i := instance{r: r, client: client, policy: state.Policy, owner: r.owner(state.Policy, kept.Nonce)}
	from, err := i.oldTarget(ctx, state.Object.ValueString(), kept)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	seen, err := from.read(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	if seen.gone {
		resp.State.RemoveResource(ctx)
		return
	}
	if kept.Nonce != "" {
		r.provider.Remember(i.owner)
	}
	effective, err := i.effective(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("effective_from"), effectiveObject(effective))...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("drift"), stringMap(seen.drift))...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.Policy.Identity(r.provider.Mesh))...)
	if kept.Nonce == "" && seen.nonce != "" {
		resp.Diagnostics.Append(saveRecord(ctx, resp.Private, record{Nonce: seen.nonce})...)
	}
}
