package simulation

import (
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// The moments of an operation: what is in the cluster after each single write.
// The order is the engine's (manifest.Creating, Updating, Deleting); what it
// may write in parallel is written in an order that is drawn.

// inCluster is what is in the cluster, in the order of creation.
type inCluster []existing

type existing struct {
	id     manifest.ID
	object manifest.Object
}

func (c inCluster) index(id manifest.ID) int {
	return slices.IndexFunc(c, func(e existing) bool { return e.id == id })
}

func (c inCluster) objects() []manifest.Object {
	all := make([]manifest.Object, 0, len(c))
	for _, e := range c {
		all = append(all, e.object)
	}
	return all
}

// moments returns what is in the cluster before a walk, and after each of its
// steps that changes anything. used says which shared objects have other users.
func moments(base inCluster, walk [][]manifest.Step, used func(manifest.ID) bool, order *rand.Rand) []inCluster {
	all := []inCluster{base}
	for _, group := range walk {
		group = slices.Clone(group)
		order.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
		for _, step := range group {
			if next, changed := all[len(all)-1].take(step, used); changed {
				all = append(all, next)
			}
		}
	}
	return all
}

// take returns what is there after a step, and whether that is anything else.
func (c inCluster) take(step manifest.Step, used func(manifest.ID) bool) (inCluster, bool) {
	id := step.Object.ID()
	at := c.index(id)
	switch {
	case step.Do == manifest.Delete && (at < 0 || step.Object.Shared != nil && used(id)),
		step.Do == manifest.Narrow && at < 0,
		step.Do != manifest.Delete && at >= 0 && reflect.DeepEqual(c[at].object.Body.Object, step.Object.Body.Object):
		return c, false
	case step.Do == manifest.Delete:
		return slices.Delete(slices.Clone(c), at, at+1), true
	case at >= 0:
		next := slices.Clone(c)
		next[at].object = step.Object
		return next, true
	default:
		return append(slices.Clip(c), existing{id, step.Object}), true
	}
}

// reserving is the walk that an update begins with: Gateways on new ports.
func reserving(prior, next []manifest.Object) [][]manifest.Step {
	had := holding(prior)
	var fresh []manifest.Object
	for _, o := range next {
		if o.Body.GetKind() == "Gateway" && had.index(o.ID()) < 0 {
			fresh = append(fresh, o)
		}
	}
	return manifest.Creating(fresh)
}

// holding returns what is in the cluster when the lists were applied one after
// the other: an object that is there already keeps its place and gets the new
// content.
func holding(lists ...[]manifest.Object) inCluster {
	var all inCluster
	places := map[manifest.ID]int{}
	for _, list := range lists {
		for _, o := range list {
			id := o.ID()
			if i, ok := places[id]; ok {
				all[i].object = o
				continue
			}
			places[id] = len(all)
			all = append(all, existing{id, o})
		}
	}
	return all
}
