package cluster

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// plan is what the user saw before the apply.
type plan struct {
	// shown has, by manifest key, the rendered live object of the last refresh.
	shown  map[string]string
	render func(*unstructured.Unstructured) string
}

// saw reports whether the plan showed the live object as it is now. Then the
// plan said all that a write changes, and force takes nothing unseen.
func (p plan) saw(key string, projected *unstructured.Unstructured) bool {
	shown, ok := p.shown[key]
	return ok && p.render != nil && p.render(projected) == shown
}

// Update brings the cluster from prior to release: applies every object in
// order (drift included; additions that count as drift are removed), then
// deletes in reverse order what prior has and release has not. Traffic moves
// to the new objects before the old ones go.
//
// shown is the attribute `manifests` of the prior state and render what made
// its values. A live object that still renders to what the plan showed is
// written with force; one that was changed since is not, unless
// Options.ForceConflicts says so: a conflict is then a ConflictError.
//
// It returns the objects of either that exist now, or may exist.
func (c *Client) Update(ctx context.Context, prior, release Release, shown map[string]string, render func(*unstructured.Unstructured) string) ([]manifest.Object, error) {
	here := newLedger(prior.Objects)
	seen := plan{shown: shown, render: render}
	err := inOrder(ctx, stages(release.Objects), func(ctx context.Context, object manifest.Object) error {
		var err error
		if object.Shared != nil {
			err = c.ensureShared(ctx, object)
		} else {
			err = c.update(ctx, release.Owner, object, seen)
		}
		if err == nil || MaybeWritten(err) {
			here.add(object)
		}
		return err
	})
	if err == nil {
		err = c.prune(ctx, prior.Owner, surplus(prior.Objects, release.Objects), here)
	}
	return here.objects(release.Objects, prior.Objects), err
}

// surplus returns the objects of prior whose identity release does not have.
func surplus(prior, release []manifest.Object) []manifest.Object {
	kept := map[manifest.ID]bool{}
	for _, object := range release {
		kept[object.ID()] = true
	}
	var old []manifest.Object
	for _, object := range prior {
		if !kept[object.ID()] {
			old = append(old, object)
		}
	}
	return old
}

// update writes one owned object, whatever is there now.
func (c *Client) update(ctx context.Context, owner Owner, object manifest.Object, seen plan) error {
	forced := c.forceConflicts
	var uid string
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return err
		}
		live, err := c.Get(ctx, object.ID())
		switch {
		case err != nil:
			return err
		case live == nil:
			return c.create(ctx, owner, object)
		case live.GetDeletionTimestamp() != nil:
			if err := c.waitGone(ctx, object.ID(), live); err != nil {
				return err
			}
			continue
		case !owner.owns(live):
			return newForeignError(object.ID(), live, owner)
		}
		if string(live.GetUID()) != uid && !c.forceConflicts {
			// What was seen is judged once per object: our own write changes it.
			uid = string(live.GetUID())
			forced = seen.saw(object.Key, compare(object, live).projected)
		}
		done, err := c.updateOnto(ctx, owner, object, live, forced)
		if err != nil && !isStale(err) && !isGone(err) {
			return err
		}
		if err == nil && done {
			return nil
		}
	}
}

// updateOnto writes an object onto the live one. It reports false where the
// live one turned out to be on its way out.
func (c *Client) updateOnto(ctx context.Context, owner Owner, object manifest.Object, live *unstructured.Unstructured, forced bool) (bool, error) {
	manager := owner.managerOf(object)
	target := onto{uid: string(live.GetUID()), force: forced}
	if forced {
		// Force only onto the very state that was looked at.
		target.version = live.GetResourceVersion()
	}
	written, err := c.applyOnto(ctx, owner, object, target)
	if replaced := compare(object, live).replaced; forced && apierrors.IsInvalid(err) && replaced != nil {
		// What others added stays beside what the apply puts back, and the two
		// may not go together: a port under another name, of the same number.
		if written, err = c.replace(ctx, replaced, manager); err == nil {
			target.version = written.GetResourceVersion()
			written, err = c.applyOnto(ctx, owner, object, target)
		}
	}
	if err != nil {
		return false, err
	}
	if written.GetDeletionTimestamp() != nil {
		return false, nil // accepted, and lost: the object goes away
	}
	if !forced {
		return true, nil
	}
	if cleaned := compare(object, written).cleaned; cleaned != nil {
		// Server-side apply never removes what others added.
		if written, err = c.replace(ctx, cleaned, manager); err != nil {
			return false, err
		}
	}
	return true, c.disown(ctx, written, manager)
}

// ownerless is the manager of what an object held when somebody had wiped its
// managedFields and an apply came (apimachinery pkg/util/managedfields).
const ownerless = "before-first-apply"

// disown takes away the records in managedFields that would keep fields alive
// which a later apply leaves out: the one that a PUT of ours leaves beside
// that of our applies, and the one of a wiped object.
func (c *Client) disown(ctx context.Context, live *unstructured.Unstructured, manager string) error {
	entries := live.GetManagedFields()
	kept := slices.DeleteFunc(slices.Clone(entries), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Operation == metav1.ManagedFieldsOperationUpdate && (entry.Manager == manager || entry.Manager == ownerless)
	})
	if len(kept) == len(entries) {
		return nil
	}
	changed := live.DeepCopy()
	changed.SetManagedFields(kept)
	_, err := c.replace(ctx, changed, manager)
	return err
}
