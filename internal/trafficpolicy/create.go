package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
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
	timeout, diags := plan.Timeouts.Create(ctx, defaultWriteTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	identity := identityOf(plan.Policy)
	client, owner, err := r.prepare(ctx, plan.Policy, identity)
	if err != nil {
		// Nothing was written, so there is nothing to keep in state.
		resp.Diagnostics.Append(diagnostics(err)...)
		return
	}
	made, err := r.create(ctx, client, owner, plan.Policy)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		if len(made.objects) == 0 {
			return
		}
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.computed(r.provider.Detail).attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, owner.Nonce)...)
}

// prepare connects, and makes sure that the policy may be created: the trust
// domain is the mesh's, and nothing of anybody else is in the way.
func (r *Resource) prepare(ctx context.Context, p policy.Policy, identity Identity) (*cluster.Client, cluster.Owner, error) {
	client, err := r.connect(ctx)
	if err != nil {
		return nil, cluster.Owner{}, err
	}
	owner := cluster.Owner{
		Resource: TypeName, ImportID: identity.importID(), OwnerID: r.provider.OwnerID, Nonce: cluster.NewNonce(),
	}
	owner, err = r.unblocked(ctx, client, owner, p, nil)
	return client, owner, err
}

// create reserves the ports and writes the objects. What it returns exists,
// whatever the error.
func (r *Resource) create(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) (existing, error) {
	made := existing{grants: policy.Grants(p)}
	var err error
	made.ports, made.objects, err = r.reserve(ctx, client, owner, p, nil)
	if err != nil {
		return made, err
	}
	objects, err := policy.Objects(p, r.provider.Mesh, made.ports)
	if err != nil {
		return made, err
	}
	made.objects, err = client.Create(ctx, cluster.Release{Owner: owner, Objects: objects})
	return made, err
}
