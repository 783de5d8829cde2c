package trafficpolicy

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
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
	made, owner, diags := r.establish(ctx, plan.Policy, timeout)
	resp.Diagnostics.Append(diags...)
	if made == nil {
		return
	}
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(made.computed(r.provider.Detail).attributes().Put(ctx, &resp.State.Raw)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityOf(plan.Policy))...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, owner.Nonce)...)
}

// establish creates a policy. What it returns exists, whatever it says; nil if
// nothing was written, so that there is nothing to keep in state.
func (r *Resource) establish(ctx context.Context, p policy.Policy, timeout time.Duration) (*existing, cluster.Owner, diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, owner, resumes, err := r.prepare(ctx, p, identityOf(p))
	if err != nil {
		return nil, owner, diagnostics(err)
	}
	made, err := r.create(ctx, client, owner, p)
	if err == nil && resumes {
		made.objects, err = r.clear(ctx, client, owner, p, made.objects)
	}
	said := made.warnings
	if err == nil {
		return &made, owner, said
	}
	said.Append(diagnostic(err))
	if len(made.objects) == 0 {
		return nil, owner, said
	}
	return &made, owner, said
}

// prepare connects, and makes sure that the policy may be created: the trust
// domain is the mesh's, and nothing of anybody else is in the way. It reports
// whether the create goes on from one that was killed.
func (r *Resource) prepare(ctx context.Context, p policy.Policy, identity Identity) (*cluster.Client, cluster.Owner, bool, error) {
	client, err := r.connect(ctx)
	if err != nil {
		return nil, cluster.Owner{}, false, err
	}
	fresh := cluster.Owner{
		Resource: TypeName, ImportID: identity.importID(), OwnerID: r.provider.OwnerID, Nonce: cluster.NewNonce(),
	}
	owner, err := r.unblocked(ctx, client, fresh, p, nil)
	return client, owner, owner != fresh, err
}

// create reserves the ports and writes the objects. What it returns exists,
// whatever the error.
func (r *Resource) create(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) (existing, error) {
	reserved, err := r.reserve(ctx, client, owner, p, nil)
	made := existing{ports: reserved.ports, objects: reserved.created, grants: policy.Grants(p), warnings: reserved.warnings}
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

// clear removes what a create that was killed has left of another
// configuration: objects of the same owner that this one does not have, and
// what only they used. objects are those that were written now. It returns what
// exists, whatever the error.
func (r *Resource) clear(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, objects []manifest.Object) ([]manifest.Object, error) {
	own := map[manifest.ID]bool{}
	for _, object := range objects {
		own[object.ID()] = true
	}
	var surplus []manifest.Object
	for _, gvk := range kinds {
		index, key := byOwner, nonceKey(owner)
		if gvk == authorizationGVK {
			index, key = all, "" // nobody owns what is shared
		}
		found, err := client.GlanceAt(ctx, gvk, "", index, key)
		if err != nil {
			return objects, err
		}
		for _, live := range found {
			object := identityOnly(gvk, live.GetNamespace(), live.GetName(), objects)
			shared := gvk == authorizationGVK
			if shared {
				if p.ByEgressGateway == nil || live.GetNamespace() != p.ByEgressGateway.Namespace || !cluster.IsOurs(live) {
					continue
				}
				if object, shared = r.sharedLeftover(p, live.GetNamespace(), live.GetName()); !shared {
					continue
				}
			}
			if !own[object.ID()] {
				surplus = append(surplus, object)
			}
		}
	}
	left, err := client.Delete(ctx, cluster.Release{Owner: owner, Objects: surplus})
	if err != nil {
		objects = append(objects, left...)
	}
	return objects, err
}
