package trafficpolicy

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
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
	identity := identityOf(state.Policy)
	// A CLI older than identities hands none in, and the framework wants one of every
	// Read, also of what is gone (its internal/fwserver/server_readresource.go).
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
	if resp.Diagnostics.HasError() || !r.provider.MeshKnown {
		// Without the facts of the mesh there is nothing to compare with; the
		// plan says "known after apply".
		return
	}
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	owner, diags := r.ownerOf(ctx, req.Private, identity)
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
	seen, diags := r.refresh(ctx, client, state, owner, &resp.State)
	resp.Diagnostics.Append(diags...)
	if diags.HasError() || resp.State.Raw.IsNull() {
		return
	}
	r.provider.Remember(seen)
	if owner.Nonce == "" && seen.Nonce != "" {
		resp.Diagnostics.Append(private.Write(ctx, resp.Private, seen.Nonce)...)
	}
}

// refresh brings the computed attributes of a state, which model is, to what
// the cluster says. The state becomes null if nothing is left of the policy. It
// returns the owner as the live objects name it.
func (r *Resource) refresh(ctx context.Context, client *cluster.Client, model Model, owner cluster.Owner, state *tfsdk.State) (cluster.Owner, diag.Diagnostics) {
	release, leftover, seen, err := r.observe(ctx, client, model, owner)
	if err != nil {
		return owner, diag.Diagnostics{diagnostic(err)}
	}
	if gone(release, seen) {
		abandoned, err := client.Abandoned(ctx, release, seen)
		if err != nil {
			return owner, diag.Diagnostics{diagnostic(err)}
		}
		if !abandoned {
			state.RemoveResource(ctx)
			return owner, nil
		}
	}
	manifests, drift := r.compare(release, leftover, seen)
	answers := values.Attributes{"manifests": values.Map(manifests), "drift": values.Map(drift)}
	return release.Owner, answers.Put(ctx, &state.Raw)
}

// observe compares the live objects with those that a state stands for, and
// with what no state stands for: an update that was killed has left it.
func (r *Resource) observe(ctx context.Context, client *cluster.Client, state Model, owner cluster.Owner) (cluster.Release, map[string]bool, cluster.Observation, error) {
	release, leftover, err := r.stateRelease(ctx, client, state, owner)
	if err != nil {
		return release, leftover, cluster.Observation{}, err
	}
	stray, err := client.Beside(ctx, release)
	if err != nil {
		return release, leftover, cluster.Observation{}, err
	}
	for _, live := range stray {
		object := identityOnly(live.GroupVersionKind(), live.GetNamespace(), live.GetName(), release.Objects)
		leftover[object.Key] = true
		release.Objects = append(release.Objects, object)
	}
	seen, err := client.Observe(ctx, release)
	if err != nil {
		return release, leftover, seen, err
	}
	shared := r.admitted(state.Policy, release, seen)
	if len(shared) == 0 {
		return release, leftover, seen, nil
	}
	for _, object := range shared {
		leftover[object.Key] = true
	}
	release.Objects = append(release.Objects, shared...)
	seen, err = client.Observe(ctx, release)
	return release, leftover, seen, err
}

// admitted returns the shared objects of the namespaces that the live Service is
// exported to and the release has nothing for: they admit what such an update
// has let in, unless others use them.
func (r *Resource) admitted(p policy.Policy, release cluster.Release, seen cluster.Observation) []manifest.Object {
	known := map[string]bool{}
	for _, object := range release.Objects {
		known[object.Key] = true
	}
	var shared []manifest.Object
	for _, object := range release.Objects {
		service := seen.Live[object.Key]
		if object.Body.GroupVersionKind() != serviceGVK || service == nil || seen.Drift[object.Key] == "" {
			continue
		}
		for namespace := range strings.SplitSeq(service.GetAnnotations()[compile.AnnotationExportTo], ",") {
			object, ok := r.sharedLeftover(p, service.GetNamespace(), policy.FromName(p.ByEgressGateway.Name, namespace))
			if ok && !known[object.Key] {
				known[object.Key] = true
				shared = append(shared, object)
			}
		}
	}
	return shared
}

// gone reports whether nothing of the policy's own is left. A shared object may
// still stand there, for others or for nobody.
func gone(release cluster.Release, seen cluster.Observation) bool {
	for _, object := range release.Objects {
		if object.Shared == nil && seen.Live[object.Key] != nil {
			return false
		}
	}
	return true
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
