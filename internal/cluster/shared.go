package cluster

import (
	"context"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// usersPage is the first page of the search for users. Nearly always one of the
// first objects that are looked at is one, so there is no point in asking for
// all: each instance of a destroy asks.
const usersPage = 4

// ensureShared makes a shared object say what this provider means by it. Its
// users are written before it (their stage is lower), and whoever releases it
// looks for users again after deleting it: so one of the two always sees the
// other, and the object is there whenever a user is.
func (c *Client) ensureShared(ctx context.Context, object manifest.Object) error {
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return err
		}
		live, err := c.Get(ctx, object.ID())
		if err != nil {
			return err
		}
		if live == nil {
			mine, err := c.createShared(ctx, object)
			switch {
			case !mine:
				n-- // another instance of this process has written it: look at once
			case !isTaken(err):
				return err
			}
			continue
		}
		if live.GetDeletionTimestamp() != nil {
			if err := c.waitGone(ctx, object.ID(), live); err != nil {
				return err
			}
			continue
		}
		done, err := c.updateShared(ctx, object, live)
		if done || err != nil && !isStale(err) && !isGone(err) {
			return err
		}
	}
}

// createShared creates a shared object that was not there. Of the instances of
// this process that miss it at the same moment one writes (mine). The others
// wait for that and have to look again: what was written may be older than
// their own use.
func (c *Client) createShared(ctx context.Context, object manifest.Object) (mine bool, err error) {
	id := object.ID()
	c.mu.Lock()
	done, busy := c.creating[id]
	if !busy {
		done = make(chan struct{})
		c.creating[id] = done
	}
	c.mu.Unlock()
	if busy {
		select {
		case <-done:
		case <-ctx.Done():
		}
		return false, nil
	}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.creating, id)
		close(done)
	}()
	// Another creation may have ended since it was missed.
	if live, err := c.Get(ctx, id); live != nil || err != nil {
		return err != nil, err
	}
	_, _, err = c.applyNew(ctx, Owner{}, object)
	return true, err
}

// updateShared brings a live shared object up to date, if it is not.
func (c *Client) updateShared(ctx context.Context, object manifest.Object, live *unstructured.Unstructured) (bool, error) {
	if !(Owner{}).holds(object, live) {
		return true, newForeignError(object.ID(), live, Owner{})
	}
	if err := compatible(object, live); err != nil {
		return true, err
	}
	verdict := compare(object, live)
	if len(verdict.lines) == 0 {
		return true, nil // also where the live one is newer
	}
	// Content that all its users agree on is never anybody else's, so it is
	// taken back; the version guards against a newer writer.
	written, err := c.applyOnto(ctx, Owner{}, object, onto{
		uid: string(live.GetUID()), version: live.GetResourceVersion(), force: true,
	})
	if err != nil || written.GetDeletionTimestamp() != nil {
		return false, err
	}
	if cleaned := compare(object, written).cleaned; cleaned != nil {
		if _, err := c.replace(ctx, cleaned, sharedManager); err != nil {
			return false, err
		}
	}
	return true, nil
}

// newer reports whether a live shared object has a later version of the
// content than ours: it is then left alone, and is no drift.
func newer(object manifest.Object, live *unstructured.Unstructured) bool {
	version, err := strconv.Atoi(live.GetAnnotations()[compile.AnnotationVersion])
	return err == nil && version > object.Shared.Version
}

// releaseShared deletes a shared object when nobody uses it any more. It is
// called after this resource's own use has ended.
func (c *Client) releaseShared(ctx context.Context, object manifest.Object) error {
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return err
		}
		used, err := c.inUse(ctx, object)
		if used || err != nil {
			return err
		}
		live, err := c.Get(ctx, object.ID())
		if live == nil || isNoKind(err) || err != nil {
			return ignoreNoKind(err)
		}
		if !(Owner{}).holds(object, live) {
			return nil
		}
		left, err := c.remove(ctx, object.ID(), live)
		if isStale(err) {
			continue
		}
		if err != nil && !isGone(err) {
			return err
		}
		if left != nil {
			if err := c.waitGone(ctx, object.ID(), left); err != nil {
				return err
			}
		}
		// A user that came between the two looks saw the object and did not write it.
		used, err = c.inUse(ctx, object)
		if err != nil || !used {
			return err
		}
		return c.ensureShared(ctx, object)
	}
}

// Abandoned reports whether a shared object of the release lives and nobody uses
// it: a destroy was cut short between its last user and the object itself. Who
// forgot the release now would leave it there for good.
func (c *Client) Abandoned(ctx context.Context, release Release, seen Observation) (bool, error) {
	for _, object := range release.Objects {
		if object.Shared == nil || seen.Live[object.Key] == nil {
			continue
		}
		if used, err := c.inUse(ctx, object); err != nil || !used {
			return err == nil, err
		}
	}
	return false, nil
}

// inUse asks the server, never a cache, whether anybody uses the object.
func (c *Client) inUse(ctx context.Context, object manifest.Object) (bool, error) {
	shared := object.Shared
	used := false
	key := listKey{gvk: shared.Users, namespace: shared.Namespace, selector: shared.Selector}
	err := c.each(ctx, key, usersPage, func(e *entry) bool {
		user := e.object()
		used = user.GetDeletionTimestamp() == nil && shared.InUse(user)
		return !used
	})
	return used, ignoreNoKind(err)
}

func ignoreNoKind(err error) error {
	if isNoKind(err) {
		return nil
	}
	return err
}
