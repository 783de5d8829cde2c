package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Delete removes the release in reverse order and waits until it is gone. It
// returns what is left, with the error that says why.
//
// An object that belongs to somebody else by now is left alone and counts as
// gone, and so does everything that is not there: a missing object, a missing
// CRD, a namespace that is being deleted. Finalizers are never stripped.
func (c *Client) Delete(ctx context.Context, release Release) ([]manifest.Object, error) {
	here := newLedger(release.Objects)
	err := inOrder(ctx, manifest.Deleting(release.Objects), func(ctx context.Context, step manifest.Step) error {
		return c.take(ctx, release.Owner, step.Object, here)
	})
	return here.objects(release.Objects), err
}

// take removes one object, a shared one with its last user.
func (c *Client) take(ctx context.Context, owner Owner, object manifest.Object, here *ledger) error {
	var err error
	if object.Shared != nil {
		err = c.releaseShared(ctx, object)
	} else {
		err = c.delete(ctx, owner, object)
	}
	if err == nil {
		here.remove(object)
	}
	return err
}

// delete removes one owned object. The look may be old; the DELETE carries
// the uid and the version that were looked at, so it hits nothing else.
func (c *Client) delete(ctx context.Context, owner Owner, object manifest.Object) error {
	id := object.ID()
	live, err := c.lookToDelete(ctx, owner, id)
	for n := 0; ; n++ {
		if err == nil && live != nil && owner.owns(live) {
			var left *unstructured.Unstructured
			left, err = c.remove(ctx, id, live)
			switch {
			case err == nil && left == nil:
				return nil
			case err == nil:
				return c.waitGone(ctx, id, left)
			}
		}
		if !isStale(err) {
			break
		}
		if err := pause(ctx, id, n+1); err != nil {
			return err
		}
		live, err = c.Get(ctx, id)
	}
	if isGone(err) || isNoKind(err) || isTerminating(err) || isNoNamespace(err) {
		return nil
	}
	return err
}

// lookToDelete looks an object up in the shared LISTs, by a GET where they do
// not show it as ours: they may be old.
func (c *Client) lookToDelete(ctx context.Context, owner Owner, id manifest.ID) (*unstructured.Unstructured, error) {
	for _, selector := range []string{"", managedSelector} {
		if selector == "" && c.kept(listKey{gvk: id.GVK}) == nil {
			continue // only ours matter here
		}
		seen, err := c.hint(ctx, id, selector)
		if err != nil {
			return nil, err
		}
		if seen.live != nil && owner.owns(seen.live) {
			return seen.live, nil
		}
	}
	return c.Get(ctx, id)
}

// gonePoll is how often an object that is being deleted is looked at.
const gonePoll = 500 * time.Millisecond

// waitGone waits until the object with the uid of live is gone.
func (c *Client) waitGone(ctx context.Context, id manifest.ID, live *unstructured.Unstructured) error {
	uid := live.GetUID()
	for {
		if err := sleep(ctx, gonePoll); err != nil {
			return &RemainsError{Remains: []string{remains(id, live)}, Err: err}
		}
		now, err := c.Get(ctx, id)
		switch {
		case isNoKind(err), err == nil && (now == nil || now.GetUID() != uid):
			return nil
		case err != nil && ctx.Err() != nil:
			return &RemainsError{Remains: []string{remains(id, live)}, Err: errors.Join(context.Cause(ctx), err)}
		case err != nil:
			return err
		}
		live = now
	}
}

// remains describes an object that does not go away.
func remains(id manifest.ID, live *unstructured.Unstructured) string {
	text := id.String()
	if stamp := live.GetDeletionTimestamp(); stamp != nil {
		text += fmt.Sprintf(", deletionTimestamp %s", stamp.UTC().Format(time.RFC3339))
	}
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		text += ", finalizers " + strings.Join(finalizers, ", ")
	}
	return text
}
