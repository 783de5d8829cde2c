package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// Delete implements resource.Resource. After an error the state names what is
// left.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	owner, diags := r.ownerOf(ctx, req.Private, identityOf(state.Policy))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	// No look at the trust domain: what is there has to go, whatever the mesh
	// is called today.
	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	release, _, err := r.stateRelease(ctx, client, state, owner)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	left, err := client.Delete(ctx, release)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		remaining := existing{objects: left}
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("manifests"), remaining.computed(r.provider.Detail).Manifests)...)
	}
}
