package cluster

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Observation is what the cluster holds of a Release.
type Observation struct {
	// Owner as the live objects name it; zero if none of them exists.
	Owner Owner
	// Live has, by manifest key, the live object of each object that exists and is ours.
	Live map[string]*unstructured.Unstructured
	// Projected has, by manifest key, the live object cut down to what the
	// desired one says, plus what others added where additions count. Equal
	// to the desired body when there is no drift.
	Projected map[string]*unstructured.Unstructured
	// Drift has, by manifest key, one line per differing path; an object that
	// is gone or belongs to another has a line that says so.
	Drift map[string]string
}

// Observe compares the live objects with the desired ones. Reads are shared
// among all instances of the process until its first write.
//
// A release without a nonce is an import: its owner is the one that its first
// live object of the same resource and import id names.
//
// A missing namespace is missing objects. A missing CRD and an answer that is
// not Kubernetes' are errors, never absence.
func (c *Client) Observe(ctx context.Context, release Release) (Observation, error) {
	found := make([]*unstructured.Unstructured, len(release.Objects))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, object := range release.Objects {
		group.Go(func() (err error) {
			found[i], err = c.read(groupCtx, object.ID())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Observation{}, err
	}
	return observed(release, found), nil
}

// observed compares the live objects, nil where there is none, with those of a
// release, in its order.
func observed(release Release, found []*unstructured.Unstructured) Observation {
	owner := release.Owner
	if owner.Nonce == "" {
		owner = importedOwner(release, found)
	}
	seen := Observation{
		Live:      map[string]*unstructured.Unstructured{},
		Projected: map[string]*unstructured.Unstructured{},
		Drift:     map[string]string{},
	}
	for i, object := range release.Objects {
		live, key := found[i], object.Key
		switch {
		case live == nil:
			seen.Drift[key] = fmt.Sprintf("%s: gone -> created again", object.ID())
			continue
		case !owner.holds(object, live):
			foreign := newForeignError(object.ID(), live, owner)
			seen.Drift[key] = fmt.Sprintf("%s: belongs to %s", object.ID(), foreign.who())
			continue
		}
		seen.Live[key] = live
		if object.Shared == nil {
			seen.Owner = owner
		}
		verdict := compare(object, live)
		if object.Shared == nil {
			verdict.lines = append(ownershipDrift(owner, live), verdict.lines...)
		}
		if live.GetDeletionTimestamp() != nil {
			verdict.lines = append([]string{"metadata.deletionTimestamp: being deleted -> created again"}, verdict.lines...)
		}
		seen.Projected[key] = verdict.projected
		if text := verdict.text(); text != "" {
			seen.Drift[key] = text
		}
	}
	return seen
}

// importedOwner returns the owner that the live objects name.
func importedOwner(release Release, found []*unstructured.Unstructured) Owner {
	for i, live := range found {
		if live == nil || release.Objects[i].Shared != nil {
			continue
		}
		owner, ok := OwnerOf(live)
		if ok && owner.Resource == release.Owner.Resource && owner.ImportID == release.Owner.ImportID {
			return owner
		}
	}
	return release.Owner
}

// ownershipDrift tells what is wrong with the annotation that says whose the
// object is.
func ownershipDrift(owner Owner, live *unstructured.Unstructured) []string {
	var lines []string
	if named, ok := OwnerOf(live); !ok || named != owner {
		was := absent
		if text, has := live.GetAnnotations()[AnnotationOwner]; has {
			was = show(text)
		}
		lines = append(lines, fmt.Sprintf("metadata.annotations[%q]: %s -> %s", AnnotationOwner, was, show(owner.annotation())))
	}
	return lines
}
