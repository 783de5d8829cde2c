package outboundpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

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

	nonce, diags := i.refresh(ctx, state.Object.ValueString(), &resp.State)
	resp.Diagnostics.Append(diags...)
	if diags.HasError() || resp.State.Raw.IsNull() {
		return
	}
	if i.kept.Nonce != "" {
		r.provider.Remember(i.owner)
	}
	if i.kept.Nonce == "" && nonce != "" {
		resp.Diagnostics.Append(private.Write(ctx, resp.Private, record{Nonce: nonce})...)
	}
}

// refresh brings the computed attributes of the instance's state to what the
// cluster says of object, to which it was written. The state becomes null if
// that is gone. It returns the nonce that the live object names where the
// record lacks it.
func (i instance) refresh(ctx context.Context, object string, state *tfsdk.State) (nonce string, diags diag.Diagnostics) {
	from, err := i.oldTarget(ctx, object)
	if err != nil {
		return "", diag.Diagnostics{diagnostic(err)}
	}
	seen, err := from.read(ctx)
	if err != nil {
		return "", diag.Diagnostics{diagnostic(err)}
	}
	if seen.gone {
		state.RemoveResource(ctx)
		return "", nil
	}
	effective, err := i.effective(ctx)
	if err != nil {
		return "", diag.Diagnostics{diagnostic(err)}
	}
	answers := values.Attributes{"effective_from": effectiveObject(effective), "drift": values.Map(seen.drift)}
	return seen.nonce, answers.Put(ctx, &state.Raw)
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
