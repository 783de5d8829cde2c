package outboundpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// sidecarTarget is a Sidecar that the policy makes and owns. What it repeats of
// the one that it hides is compiled anew each time, so a change there shows as
// drift here.
type sidecarTarget struct {
	instance
	sidecars outbound.Sidecars
}

func (t sidecarTarget) compile(p outbound.Policy) manifest.Object {
	return outbound.Sidecar(p, t.r.provider.Mesh, t.sidecars.Hidden(p))
}

func (t sidecarTarget) release(p outbound.Policy) cluster.Release {
	return cluster.Release{Owner: t.owner, Objects: []manifest.Object{t.compile(p)}}
}

func (t sidecarTarget) create(ctx context.Context) (made, error) {
	if err := t.alone(t.sidecars); err != nil {
		return made{}, err
	}
	release := t.release(t.policy)
	owner, err := t.client.Preflight(ctx, release)
	if err != nil {
		return made{}, err
	}
	release.Owner = owner
	written, err := t.client.Create(ctx, release)
	result := made{written: len(written) > 0, object: release.Objects[0].ID(), record: record{Nonce: owner.Nonce}}
	if err != nil {
		return result, err
	}
	// Two that are made at the same time do not see each other before.
	after, err := t.instance.sidecars(ctx)
	if err == nil {
		err = t.alone(after)
	}
	if err != nil {
		if _, failed := t.client.Delete(ctx, release); failed == nil {
			result.written = false
		}
	}
	return result, err
}

// alone fails if another Sidecar selects the same workloads.
func (t sidecarTarget) alone(sidecars outbound.Sidecars) error {
	if t.policy.Scope() != outbound.Workload {
		return nil
	}
	for _, overlap := range sidecars.Overlaps(t.policy) {
		if overlap.Certain {
			return overlapError(t.policy, overlap)
		}
	}
	return nil
}

// overlapError names the other Sidecar, and who made it.
func overlapError(p outbound.Policy, overlap outbound.Overlap) error {
	other := sidecarID(overlap.Sidecar.GetNamespace(), overlap.Sidecar.GetName())
	maker := ""
	if owner, ok := cluster.OwnerOf(overlap.Sidecar); ok {
		maker = fmt.Sprintf(", which is written by %s,", owner)
	}
	return &attributeError{path.Root("workload_selector"), fmt.Sprintf("%s selects the same workloads", other),
		fmt.Sprintf("Istio takes one Sidecar for a workload, the older one of two that select it. %s%s has a selector that goes together with this one for %s. "+
			"Narrow one of the selectors, or set the mode in that Sidecar. Nothing is left in the cluster.", other, maker, p.For(noMesh))}
}

func (t sidecarTarget) read(ctx context.Context) (seen, error) {
	release := t.release(t.policy)
	found, err := t.client.Observe(ctx, release)
	if err != nil {
		return seen{}, err
	}
	if len(found.Live) == 0 {
		return seen{gone: true}, nil
	}
	return seen{drift: found.Drift, nonce: found.Owner.Nonce}, nil
}

func (t sidecarTarget) update(ctx context.Context, state Model) error {
	if err := t.alone(t.sidecars); err != nil {
		return err
	}
	prior, next := t.release(state.Policy), t.release(t.policy)
	// The state keeps no rendered object to compare with. Where today's drift is
	// the one that it has, the plan showed the object as it is now.
	before, err := t.client.Observe(ctx, prior)
	if err != nil {
		return err
	}
	shown := map[string]string{}
	if key := prior.Objects[0].Key; before.Drift[key] == values.Strings(state.Drift)[key] {
		now, err := t.client.Observe(ctx, next)
		if err != nil {
			return err
		}
		for key, live := range now.Projected {
			shown[key] = t.r.provider.Detail.Render(live)
		}
	}
	_, err = t.client.Update(ctx, prior, next, shown, t.r.provider.Detail.Render)
	return err
}

func (t sidecarTarget) remove(ctx context.Context, state Model) (string, error) {
	release := t.release(state.Policy)
	if t.owner.Nonce == "" {
		// Core destroys a tainted instance with the private state of its
		// successor's plan, which is empty: the object says whose it is.
		found, err := t.client.Observe(ctx, release)
		if err != nil {
			return "", err
		}
		release.Owner = found.Owner
	}
	_, err := t.client.Delete(ctx, release)
	return "", err
}
