package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/private"
)

// Create implements resource.Resource. It answers once: whatever happened,
// the state says what was written, so that Terraform can destroy it.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout(limits(plan).Create, defaultWriteTimeout))
	defer cancel()

	release := cluster.Release{
		Owner: cluster.Owner{
			Resource: TypeName, ImportID: identityOf(plan.Gateway).importID(), OwnerID: r.provider.OwnerID, Nonce: cluster.NewNonce(),
		},
		Objects: workload.Objects(plan.Gateway, r.provider.Mesh),
	}
	fresh := release.Owner
	client, err := r.provider.Connect()
	if err == nil {
		release.Owner, err = client.Preflight(ctx, release)
	}
	if err != nil {
		// Nothing was written, so there is nothing to keep in state.
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	written, err := client.Create(ctx, release)
	if err == nil && release.Owner != fresh {
		written, err = clear(ctx, client, release)
	}
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		if len(written) == 0 {
			return
		}
	}
	made := r.compiled(plan.Gateway)
	made.Manifests = r.rendered(written)
	made.Addresses = Addresses{ClusterIP: types.StringNull(), LoadBalancerIngress: types.ListNull(ingressType)}
	if err == nil {
		made.Addresses, err = r.addresses(ctx, client, plan)
		if err != nil {
			resp.Diagnostics.Append(diagnose.Error(err))
		}
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(plan.Gateway))...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, release.Owner)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(rollout(ctx, client, plan.Gateway)...)
	}
}

// addresses returns the addresses of the plan, and in place of unknown ones
// those of the live Service.
func (r *Resource) addresses(ctx context.Context, client *cluster.Client, plan Model) (Addresses, error) {
	service, err := client.Get(ctx, workload.ServiceID(plan.Gateway))
	return plan.settle(service), err
}
