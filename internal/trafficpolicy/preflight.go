package trafficpolicy

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	var foreign *cluster.ForeignError
	switch {
	case errors.As(err, &foreign) && foreign.Owner != nil && instanceKey(*foreign.Owner) == instanceKey(owner):
		if _, unreadable := find(ctx, client, identityOf(p)); unreadable == nil {
			return owner, err // to be imported, as it says
		}
	case err != nil || len(strays) == 0:
		return owner, err
	}
	return owner, r.killed(ctx, client, owner, append(strays, withoutGateways(objects)...))
}

// killed says that a create was killed before it had written the object from
// which the policy could be imported, and how to clear away what it has left.
// objects are those that there may be.
func (r *Resource) killed(ctx context.Context, client *cluster.Client, owner cluster.Owner, objects []manifest.Object) error {
	names := map[string][]string{}
	for _, object := range objects {
		live, err := client.Get(ctx, object.ID())
		if err != nil {
			return err
		}
		if live == nil {
			continue
		}
		if other, ok := cluster.OwnerOf(live); ok && instanceKey(other) == instanceKey(owner) {
			of := fmt.Sprintf("kubectl -n %s delete %s", live.GetNamespace(), cluster.ResourceOf(live.GroupVersionKind()))
			names[of] = append(names[of], live.GetName())
		}
	}
	var commands []string
	for _, of := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[of])
		commands = append(commands, "  "+of+" "+strings.Join(names[of], " "))
	}
	return &summaryError{"A create of this policy was killed", diagnose.Killed.With(fmt.Sprintf(
		"What it has left names %s as its owner, and is too little to import. Nothing was written. "+
			"If no other run is creating this policy now, delete it:\n\n%s\n\n"+
			"With `owner_id` in the provider block such a create is resumed.",
		owner, strings.Join(commands, "\n")))}
}

// strays looks for Gateways that name the policy as their owner before it
// exists: reservation comes first, so a create that was killed may have left
// nothing else. It returns them, or the owner to resume as.
func (r *Resource) strays(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) (cluster.Owner, []manifest.Object, error) {
	if p.ByEgressGateway == nil {
		return owner, nil, nil
	}
	gateways, err := client.GlanceAt(ctx, gatewayGVK, p.ByEgressGateway.Namespace, byOwner, instanceKey(owner))
	if err != nil {
		return owner, nil, err
	}
	var found []manifest.Object
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
		found = append(found, manifest.Object{Key: gateway.GetName(), Body: gateway})
	}
	return owner, found, nil
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
