package cluster

import (
	"context"
	"slices"
	"sync"

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

	mu sync.Mutex
	// narrowed has what this update has written already.
	narrowed map[manifest.ID]narrowed
}

// narrowed is an object as a first write has left it.
type narrowed struct {
	canonical string
	// live is set where the write was forced: then all of it was in the plan,
	// or is of this update.
	live *unstructured.Unstructured
}

// saw reports whether the plan showed the live object as it is now, or this
// update made it what it is. Then the plan said all that a write changes, and
// force takes nothing unseen.
func (p *plan) saw(object manifest.Object, live *unstructured.Unstructured) bool {
	if p.render == nil {
		return false
	}
	now := p.render(compare(object, live).projected)
	if shown, ok := p.shown[object.Key]; ok && now == shown {
		return true
	}
	own := p.narrowedTo(object).live
	return own != nil && now == p.render(compare(object, own).projected)
}

func (p *plan) narrowedTo(object manifest.Object) narrowed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.narrowed[object.ID()]
}

func (p *plan) note(object manifest.Object, live *unstructured.Unstructured) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.narrowed == nil {
		p.narrowed = map[manifest.ID]narrowed{}
	}
	p.narrowed[object.ID()] = narrowed{canonical: manifest.Canonical(object.Body), live: live}
}

// Update brings the cluster from prior to release, in the order of
// manifest.Updating: writes release.First, applies every object (drift
// included; additions that count as drift are removed), then deletes what
// prior has and release has not. Traffic moves to the new objects before the
// old ones go. An update that is cut short leaves what the next one continues
// from, wherever it was.
//
// shown is the attribute `manifests` of the prior state and render what made
// its values. A live object that still renders to what the plan showed is
// written with force; one that was changed since is not, unless
// Options.ForceConflicts says so: a conflict is then a ConflictError.
//
// It returns the objects of either that exist now, or may exist: those that
// Reserve created are among them.
func (c *Client) Update(ctx context.Context, prior, release Release, shown map[string]string, render func(*unstructured.Unstructured) string) ([]manifest.Object, error) {
	here := newLedger(prior.Objects)
	for _, object := range release.Objects {
		if c.isReserved(release.Owner, object) {
			here.add(object)
		}
	}
	seen := &plan{shown: shown, render: render}
	walk := manifest.Updating(prior.Objects, release.First, release.Objects)
	err := inOrder(ctx, walk, func(ctx context.Context, step manifest.Step) error {
		var err error
		object := step.Object
		switch {
		case step.Do == manifest.Delete:
			return c.take(ctx, prior.Owner, object, here)
		case step.Do == manifest.Narrow:
			return c.update(ctx, release.Owner, step, seen)
		case object.Shared != nil:
			err = c.ensureShared(ctx, object)
		case seen.narrowedTo(object).canonical == manifest.Canonical(object.Body):
			// It is what it shall be.
		default:
			err = c.update(ctx, release.Owner, step, seen)
		}
		if err == nil || MaybeWritten(err) {
			here.add(object)
		}
		return err
	})
	return here.objects(release.Objects, prior.Objects), err
}

// update writes one owned object, whatever is there now.
func (c *Client) update(ctx context.Context, owner Owner, step manifest.Step, seen *plan) error {
	object, narrow := step.Object, step.Do == manifest.Narrow
	u := updating{client: c, owner: owner, object: object}
	for n := 0; ; n++ {
		if err := pause(ctx, object.ID(), n); err != nil {
			return err
		}
		live, err := c.Get(ctx, object.ID())
		switch {
		case err != nil:
			return err
		case narrow && (live == nil || live.GetDeletionTimestamp() != nil):
			return nil // gone, or going
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
		if !u.applied {
			// Judged anew until something of ours is in it: whatever came
			// between the look and the write was not in the plan.
			u.forced = c.forceConflicts || seen.saw(object, live)
		}
		written, err := u.onto(ctx, live)
		if err != nil && !isStale(err) && !isGone(err) {
			return err
		}
		if err == nil && written != nil {
			if !u.forced {
				written = nil
			}
			if narrow {
				seen.note(object, written)
			}
			return nil
		}
	}
}

// updating is the update of one object.
type updating struct {
	client *Client
	owner  Owner
	object manifest.Object
	// forced is set where fields of others are taken and additions removed.
	forced bool
	// applied is set once the desired fields are written.
	applied bool
}

// onto writes the object onto the live one and returns what is there then; nil
// where the live one turned out to be on its way out.
func (u *updating) onto(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	c, manager := u.client, u.owner.managerOf(u.object)
	target := onto{uid: string(live.GetUID()), force: u.forced}
	if u.forced {
		// Force only onto the very state that was looked at.
		target.version = live.GetResourceVersion()
	}
	if kept, err := c.handOverReplicas(ctx, u.object, live, manager); err != nil {
		return nil, err
	} else if kept != nil && u.forced {
		target.version = kept.GetResourceVersion()
	}
	written, err := c.applyOnto(ctx, u.owner, u.object, target)
	if replaced := compare(u.object, live).replaced; u.forced && apierrors.IsInvalid(err) && replaced != nil {
		// What others added stays beside what the apply puts back, and the two
		// may not go together: a port under another name, of the same number.
		if written, err = c.replace(ctx, replaced, manager); err == nil {
			target.version = written.GetResourceVersion()
			written, err = c.applyOnto(ctx, u.owner, u.object, target)
		}
	}
	if err != nil {
		return nil, err
	}
	if written.GetDeletionTimestamp() != nil {
		return nil, nil // accepted, and lost: the object goes away
	}
	u.applied = true
	if !u.forced {
		return written, nil
	}
	if cleaned := compare(u.object, written).cleaned; cleaned != nil {
		// Server-side apply never removes what others added.
		if written, err = c.replace(ctx, cleaned, manager); err != nil {
			return nil, err
		}
	}
	return written, c.disown(ctx, written, manager)
}

// replicasManager holds spec.replicas of a Deployment from when we let go of
// it until the autoscaler first writes it.
const replicasManager = sharedManager + "-replicas"

// handOverReplicas keeps the number of replicas where an autoscaler takes
// over: an apply that leaves the field out would make it 1, its default
// (Kubernetes docs, Server-Side Apply, "Transferring ownership"). It returns
// the object if it was written.
func (c *Client) handOverReplicas(ctx context.Context, object manifest.Object, live *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	if object.Body.GroupVersionKind() != deploymentKind {
		return nil, nil
	}
	if _, wanted, _ := unstructured.NestedFieldNoCopy(object.Body.Object, "spec", "replicas"); wanted {
		return nil, nil
	}
	field := pathsOf([]step{{field: "spec"}, {field: "replicas"}})[0]
	ours := slices.ContainsFunc(ownersOf(live), func(m managed) bool { return m.manager == manager && m.fields.Has(field) })
	replicas, set, _ := unstructured.NestedFieldNoCopy(live.Object, "spec", "replicas")
	if !ours || !set {
		return nil, nil
	}
	body := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": live.GetName(), "namespace": live.GetNamespace(), "uid": string(live.GetUID())},
		"spec":     map[string]any{"replicas": replicas},
	}}
	body.SetGroupVersionKind(deploymentKind)
	kept, _, err := c.apply(ctx, body, applyOptions{manager: replicasManager})
	return kept, err
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
