package cluster

import (
	"context"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Preflight looks before the first write of a create. It fails when an object
// of the release exists and belongs to another: the error names the object,
// its owner and the import command.
//
// It returns the owner to create with from here on. That is the release's,
// unless objects of the very same instance exist (same owner_id, type and
// id): then a create was killed half-way, and its nonce goes on, so that the
// field manager of those objects stays the same.
//
// The shared LISTs are its hints; what they show is confirmed by a GET.
func (c *Client) Preflight(ctx context.Context, release Release) (Owner, error) {
	found := make([]*unstructured.Unstructured, len(release.Objects))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, object := range release.Objects {
		group.Go(func() (err error) {
			found[i], err = c.confirm(groupCtx, object.ID())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return release.Owner, err
	}

	owner := release.Owner
	for i, object := range release.Objects {
		live := found[i]
		if live == nil || live.GetDeletionTimestamp() != nil {
			continue
		}
		if object.Shared != nil {
			if err := compatible(object, live); err != nil {
				return owner, err
			}
			continue
		}
		if owner.owns(live) {
			continue
		}
		other, named := OwnerOf(live)
		if named && release.Owner.SameInstance(other) && owner == release.Owner {
			owner = other
			continue
		}
		foreign := newForeignError(object.ID(), live, release.Owner)
		foreign.Unchanged = true
		return release.Owner, foreign
	}
	return owner, nil
}

// confirm returns the object as it is now if there may be one.
func (c *Client) confirm(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	// A LIST by label does not show a foreign object: those kinds are asked for by name.
	if selectorOf(id.GVK) == "" {
		seen, err := c.hint(ctx, id, "")
		if err != nil {
			return nil, err
		}
		if seen.known && seen.live == nil {
			return nil, nil
		}
	}
	return c.Get(ctx, id)
}

// compatible returns why a shared object's live content cannot be ours.
func compatible(object manifest.Object, live *unstructured.Unstructured) error {
	if object.Shared.Compatible == nil {
		return nil
	}
	if err := object.Shared.Compatible(live); err != nil {
		return &IncompatibleError{ID: object.ID(), Err: err}
	}
	return nil
}
