package cluster

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// neverVersion makes a server-side apply create or fail. The server compares
// the resourceVersion of a patch with that of an object that exists (409),
// and wipes it where there is none (apiserver registry/generic/registry
// store.go, Update). No live object has version 1: etcd's first write is 2.
const neverVersion = "1"

// Create writes a new release stage by stage. Objects that Reserve created
// are part of it again. It returns what was written, whatever the error, and
// counts in what may have been written by a request that got no answer.
//
// An object of that name that exists is taken only if it is this owner's.
func (c *Client) Create(ctx context.Context, release Release) ([]manifest.Object, error) {
	written := newLedger(nil)
	for _, object := range release.Objects {
		if c.isReserved(release.Owner, object) {
			written.add(object)
		}
	}
	err := inOrder(ctx, manifest.Creating(release.Objects), func(ctx context.Context, step manifest.Step) error {
		var err error
		object := step.Object
		if object.Shared != nil {
			err = c.ensureShared(ctx, object)
		} else {
			err = c.create(ctx, release.Owner, object)
		}
		if err == nil || MaybeWritten(err) {
			written.add(object)
		}
		return err
	})
	return written.objects(release.Objects), err
}

// create makes one owned object.
func (c *Client) create(ctx context.Context, owner Owner, object manifest.Object) error {
	if held, ok := c.claimReservation(owner, object); ok {
		if held.canonical == manifest.Canonical(object.Body) {
			return nil
		}
		_, err := c.applyOnto(ctx, owner, object, onto{uid: held.uid})
		if !isStale(err) {
			return err
		}
	}
	var uncertain bool
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return mark(err, uncertain)
		}
		_, created, err := c.applyNew(ctx, owner, object)
		if created && err == nil {
			return nil
		}
		uncertain = uncertain || MaybeWritten(err)
		if err != nil && !isTaken(err) {
			return mark(err, uncertain)
		}
		live, getErr := c.Get(ctx, object.ID())
		switch {
		case getErr != nil:
			return mark(getErr, uncertain)
		case live == nil:
			continue // deleted in between
		case live.GetDeletionTimestamp() != nil:
			if err := c.waitGone(ctx, object.ID(), live); err != nil {
				return mark(err, uncertain)
			}
			continue
		case !owner.owns(live):
			return newForeignError(object.ID(), live, owner)
		}
		// Ours: the answer to an earlier write was lost, or a crashed create is resumed.
		_, err = c.applyOnto(ctx, owner, object, onto{uid: string(live.GetUID())})
		if isStale(err) {
			continue
		}
		return mark(err, true)
	}
}

// mark makes an error say that the object may exist.
func mark(err error, uncertain bool) error {
	var o *OpError
	if uncertain && errors.As(err, &o) {
		o.MaybeDone = true
	}
	return err
}

// applyNew applies an object that must not exist yet.
func (c *Client) applyNew(ctx context.Context, owner Owner, object manifest.Object) (*unstructured.Unstructured, bool, error) {
	body := outgoing(owner, object)
	body.SetResourceVersion(neverVersion)
	return c.apply(ctx, body, applyOptions{manager: owner.managerOf(object)})
}

// onto is the live object that an apply is meant for.
type onto struct {
	// uid keeps the apply from creating, and from touching another object of
	// the same name.
	uid string
	// version, if set, keeps it from touching another state of it.
	version string
	force   bool
}

// applyOnto applies an object that exists.
func (c *Client) applyOnto(ctx context.Context, owner Owner, object manifest.Object, target onto) (*unstructured.Unstructured, error) {
	body := outgoing(owner, object)
	if err := unstructured.SetNestedField(body.Object, target.uid, "metadata", "uid"); err != nil {
		return nil, err
	}
	if target.version != "" {
		body.SetResourceVersion(target.version)
	}
	live, _, err := c.apply(ctx, body, applyOptions{manager: owner.managerOf(object), force: target.force})
	if causes := managerConflicts(err); len(causes) > 0 {
		return nil, &ConflictError{ID: object.ID(), Causes: causes}
	}
	return live, err
}

// isTaken reports that an object of that name exists.
func isTaken(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

// rounds is how often a write is begun anew because its object changed under
// it. More than that is another controller fighting for the same object.
const rounds = 20

// errRounds says so.
var errRounds = errors.New("another writer keeps changing the object")

// pause waits before another round; not before the first.
func pause(ctx context.Context, id manifest.ID, n int) error {
	var err error
	switch {
	case n == rounds:
		err = errRounds
	case n > 0:
		err = sleep(ctx, backoff(min(n-1, 3)))
	default:
		err = ctx.Err()
	}
	if err != nil {
		return &OpError{Verb: "write", ID: id, Err: notSent{err}}
	}
	return nil
}

// isStale reports that the object was replaced, or written by somebody, since
// it was looked at. A patch with the uid of an object that is gone answers 409,
// one with the uid of another object 422: "field is immutable".
func isStale(err error) bool {
	if apierrors.IsInvalid(err) {
		status, _ := statusOf(err)
		return status.Details != nil && slices.ContainsFunc(status.Details.Causes, func(c metav1.StatusCause) bool {
			return c.Field == "metadata.uid"
		})
	}
	return apierrors.IsConflict(err) && len(managerConflicts(err)) == 0
}

// outgoing returns the body as it is written: with the owner's annotation.
func outgoing(owner Owner, object manifest.Object) *unstructured.Unstructured {
	body := object.Body.DeepCopy()
	if object.Shared == nil {
		annotations := body.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[AnnotationOwner] = owner.annotation()
		body.SetAnnotations(annotations)
	}
	return body
}
