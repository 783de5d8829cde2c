package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Read implements resource.Resource: it compares the mode, and what a Sidecar
// repeats, with what is there. It never changes what the user wrote.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	// A CLI older than identities hands none in, and the framework wants one of every
	// Read, also of what is gone (its internal/fwserver/server_readresource.go).
	if r.provider.MeshKnown || resp.Identity.Raw.IsFullyNull() {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, r.identityOf(state))...)
	}
	if resp.Diagnostics.HasError() || !r.provider.MeshKnown {
		return
	}
	if _, err := r.provider.Connect(); settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &resource.Deferred{Reason: resource.DeferredReasonProviderConfigUnknown}
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	i, diags := r.existing(ctx, state.Policy, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	from, err := i.oldTarget(ctx, state.Object.ValueString())
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
	if i.kept.Nonce != "" {
		r.provider.Remember(i.owner)
	}
	effective, err := i.effective(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	answers := values.Attributes{"effective_from": effectiveObject(effective), "drift": values.Map(seen.drift)}
	resp.Diagnostics.Append(answers.Put(ctx, &resp.State.Raw)...)
	if i.kept.Nonce == "" && seen.nonce != "" {
		resp.Diagnostics.Append(private.Write(ctx, resp.Private, record{Nonce: seen.nonce})...)
	}
}

// identityOf returns the identity of what is in state. Where the provider block does
// not say the revision yet, the ConfigMap that was written does.
func (r *Resource) identityOf(state Model) outbound.Identity {
	mesh := r.provider.Mesh
	if !r.provider.MeshKnown {
		mesh.Revision = meshconfig.Revision(state.Object.ValueString())
	}
	return state.Policy.Identity(mesh)
}
