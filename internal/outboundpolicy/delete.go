package outboundpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// Delete implements resource.Resource: it puts back what was there before.
// What somebody has changed since is left to him, with a warning.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	timeout, diags := state.Timeouts.Delete(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	i, diags := r.existing(ctx, state.Policy, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	from, err := i.oldTarget(ctx, state.Object.ValueString())
	if cluster.IsMissingKind(err) {
		return // no Sidecars at all
	}
	var stays string
	if err == nil {
		stays, err = from.remove(ctx, state)
	}
	switch {
	case err != nil:
		resp.Diagnostics.Append(diagnostic(err))
	case stays != "":
		resp.Diagnostics.AddWarning(fmt.Sprintf("%s was left as it is", state.Object.ValueString()),
			fmt.Sprintf("This policy had set %s there, and somebody has changed it since: %s. The mode was not written; the policy is out of the state.", state.Mode, stays))
	}
}
