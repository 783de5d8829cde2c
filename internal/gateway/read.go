package gateway

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// leftoverDrift is the line of an object that only an unfinished update
// explains.
const leftoverDrift = "left over from an update that did not finish -> removed"

// Read implements resource.Resource: it compares the live objects with what
// the state compiles to. It never changes what the user wrote.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	identity := identityOf(state.Gateway)
	// A CLI older than identities hands none in, and the framework wants one of every
	// Read, also of what is gone (its internal/fwserver/server_readresource.go).
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
	if resp.Diagnostics.HasError() || !r.provider.MeshKnown {
		// Without the facts of the mesh there is nothing to compare with; the
		// plan says "known after apply".
		return
	}
	owner, diags := r.ownerOf(ctx, req.Private, identity)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout(limits(state).Read, defaultReadTimeout))
	defer cancel()

	client, err := r.provider.Connect()
	if settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &resource.Deferred{Reason: resource.DeferredReasonProviderConfigUnknown}
		return
	}
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	seen, diags := r.refresh(ctx, client, state, owner, &resp.State)
	resp.Diagnostics.Append(diags...)
	if diags.HasError() || resp.State.Raw.IsNull() {
		return
	}
	r.provider.Remember(seen)
	if owner.Nonce == "" && seen.Nonce != "" {
		resp.Diagnostics.Append(private.Write(ctx, resp.Private, seen)...)
	}
}

// refresh brings the computed attributes of a state, which model is, to what
// the cluster says. The state becomes null if nothing is left of the gateway. It
// returns the owner as the live objects name it.
func (r *Resource) refresh(ctx context.Context, client *cluster.Client, model Model, owner cluster.Owner, state *tfsdk.State) (cluster.Owner, diag.Diagnostics) {
	release, leftover := r.stateRelease(model, owner)
	// What an update that was killed has made stands in no state.
	stray, err := client.Beside(ctx, release, workload.Kinds...)
	if err != nil {
		return owner, diag.Diagnostics{diagnose.Error(err)}
	}
	for _, live := range stray {
		if object, ok := identityOnly(manifest.Key(live.GetKind(), live.GetNamespace(), live.GetName())); ok {
			leftover[object.Key] = true
			release.Objects = append(release.Objects, object)
		}
	}
	seen, err := client.Observe(ctx, release)
	if err != nil {
		return owner, diag.Diagnostics{diagnose.Error(err)}
	}
	if len(seen.Live) == 0 {
		state.RemoveResource(ctx)
		return owner, nil
	}
	manifests, drift := r.compare(release, leftover, seen)
	answers := values.Attributes{"manifests": values.Map(manifests), "drift": values.Map(drift)}
	maps.Copy(answers, factsOf(model.Gateway, r.provider.Mesh).attributes())
	if service := seen.Live[workload.ServiceKey(model.Gateway)]; service != nil {
		maps.Copy(answers, addressesOf(service).attributes())
	}
	return seen.Owner, answers.Put(ctx, &state.Raw)
}

// compare returns the attributes `manifests` and `drift`.
func (r *Resource) compare(release cluster.Release, leftover map[string]bool, seen cluster.Observation) (manifests, drift map[string]string) {
	manifests, drift = map[string]string{}, map[string]string{}
	for _, object := range release.Objects {
		live := seen.Projected[object.Key]
		switch {
		case !leftover[object.Key]:
			if line, ok := seen.Drift[object.Key]; ok {
				drift[object.Key] = line
			}
		case live != nil:
			drift[object.Key] = leftoverDrift
		}
		if live != nil {
			manifests[object.Key] = r.provider.Detail.Render(live)
		}
	}
	return manifests, drift
}
