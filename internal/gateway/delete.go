package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// Delete implements resource.Resource. After an error the state names what is
// left.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	owner, diags := r.ownerOf(ctx, req.Private, identityOf(state.Gateway))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout(limits(state).Delete, defaultWriteTimeout))
	defer cancel()

	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	if !state.ForceDestroy {
		resp.Diagnostics.Append(inUse(ctx, client, state.Gateway)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	release, _ := r.stateRelease(state, owner)
	if owner.Nonce == "" {
		// Core destroys a tainted instance with the private state of its
		// successor's plan, which is empty: the objects say whose they are.
		seen, err := client.Observe(ctx, release)
		if err != nil {
			resp.Diagnostics.Append(diagnose.Error(err))
			return
		}
		release.Owner = seen.Owner
	}
	left, err := client.Delete(ctx, release)
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("manifests"), r.rendered(left))...)
	}
}

// inUse refuses to destroy a gateway that policies use. Each of them has a
// Service beside the gateway that says so.
func inUse(ctx context.Context, client *cluster.Client, g workload.Gateway) diag.Diagnostics {
	var diags diag.Diagnostics
	services, err := client.List(ctx, workload.KindService, g.Namespace, compile.LabelGateway+"="+g.Name)
	if err != nil {
		diags.Append(diagnose.Error(err))
		return diags
	}
	var users []string
	for _, service := range services {
		user := fmt.Sprintf("policy %s (Service %s/%s)", service.GetLabels()[compile.LabelPolicy], service.GetNamespace(), service.GetName())
		if owner, ok := cluster.OwnerOf(service); ok {
			user += ", owned by " + owner.String()
		}
		users = append(users, "  - "+user)
	}
	if len(users) == 0 {
		return nil
	}
	slices.Sort(users)
	diags.AddError("The egress gateway is in use", diagnose.InUse.With(fmt.Sprintf(
		"%s %s was not destroyed, because policies send traffic through it:\n\n%s\n\n"+
			"Destroy them or move them to another gateway first. Or set force_destroy = true and apply that, then destroy: what these policies allow stops working.",
		TypeName, identityOf(g).importID(), strings.Join(users, "\n"))))
	return diags
}
