package trafficpolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// preflight fails if a new policy would meet what belongs to another. It
// returns the owner to go on with: that of a create which was killed, if the
// provider's owner_id says that it was this very instance.
func (r *Resource) preflight(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, objects []manifest.Object) (cluster.Owner, error) {
	owner, strays, err := r.strays(ctx, client, owner, p)
	if err != nil {
		return owner, err
	}
	// The Gateways are left to their reservation: a port that is taken is no
	// foreign object that the user could import.
	owner, err = client.Preflight(ctx, cluster.Release{Owner: owner, Objects: withoutGateways(objects)})
	if err != nil || len(strays) == 0 {
		return owner, err
	}
	return owner, &summaryError{"A create of this policy was killed", diagnose.Killed.With(fmt.Sprintf(
		"Gateways %s of namespace %s name %s as their owner, and nothing else of it exists. Nothing was written. "+
			"If no other run is creating this policy now, delete them:\n\n  kubectl -n %[2]s delete gateways.networking.istio.io %[4]s\n\n"+
			"With `owner_id` in the provider block such a create is resumed.",
		strings.Join(strays, ", "), p.ByEgressGateway.Namespace, owner, strings.Join(strays, " ")))}
}

// strays looks for Gateways that name the policy as their owner before it
// exists: reservation comes first, so a create that was killed may have left
// nothing else. It returns their names, or the owner to resume as.
func (r *Resource) strays(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) (cluster.Owner, []string, error) {
	if p.ByEgressGateway == nil {
		return owner, nil, nil
	}
	gateways, err := client.GlanceAt(ctx, gatewayGVK, p.ByEgressGateway.Namespace, byOwner, instanceKey(owner))
	if err != nil {
		return owner, nil, err
	}
	var names []string
	for _, gateway := range gateways {
		other, ok := cluster.OwnerOf(gateway)
		if !ok || other.Nonce == owner.Nonce {
			continue
		}
		// The shared LIST may be older than the end of the instance that this
		// one replaces.
		if gone, err := isGone(ctx, client, gateway); err != nil || gone {
			if err != nil {
				return owner, nil, err
			}
			continue
		}
		if owner.OwnerID != "" && other.OwnerID == owner.OwnerID {
			return other, nil, nil
		}
		names = append(names, gateway.GetName())
	}
	slices.Sort(names)
	return owner, names, nil
}

// isGone reports whether an object of a LIST is no longer what it was.
func isGone(ctx context.Context, client *cluster.Client, object *unstructured.Unstructured) (bool, error) {
	live, err := client.Get(ctx, manifest.ID{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()})
	if err != nil {
		return false, err
	}
	return live == nil || live.GetUID() != object.GetUID() || live.GetDeletionTimestamp() != nil, nil
}

func withoutGateways(objects []manifest.Object) []manifest.Object {
	var others []manifest.Object
	for _, object := range objects {
		if object.Body.GroupVersionKind() != gatewayGVK {
			others = append(others, object)
		}
	}
	return others
}
