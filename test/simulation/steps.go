package simulation

import (
	"math/rand/v2"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// The moments of an operation: what is in the cluster after each single write.
// The engine writes stage by stage and the objects of one stage in parallel,
// so their order within a stage is drawn.

// applying returns the moments of an apply of objects into a cluster that
// holds base, the first and the last included.
func applying(base, objects []manifest.Object, order *rand.Rand) [][]manifest.Object {
	moments := [][]manifest.Object{base}
	for _, o := range walk(objects, order) {
		moments = append(moments, applied(moments[len(moments)-1], []manifest.Object{o}))
	}
	return moments
}

// destroying returns the moments of a destroy of objects, of which shared are
// those that have other users and stay.
func destroying(base, objects []manifest.Object, used func(manifest.Object) bool, order *rand.Rand) [][]manifest.Object {
	moments := [][]manifest.Object{base}
	steps := walk(objects, order)
	slices.Reverse(steps)
	// Shared objects are released after all others.
	slices.SortStableFunc(steps, func(a, b manifest.Object) int {
		switch {
		case a.Shared == nil && b.Shared != nil:
			return -1
		case a.Shared != nil && b.Shared == nil:
			return 1
		}
		return 0
	})
	for _, o := range steps {
		if o.Shared != nil && used(o) {
			continue
		}
		moments = append(moments, without(moments[len(moments)-1], o))
	}
	return moments
}

// updating returns the moments of an update: everything new or changed first,
// then what is no longer wanted.
func updating(base, prior, next []manifest.Object, used func(manifest.Object) bool, order *rand.Rand) [][]manifest.Object {
	moments := applying(base, next, order)
	var old []manifest.Object
	for _, o := range prior {
		if indexOf(next, o) < 0 {
			old = append(old, o)
		}
	}
	return append(moments, destroying(moments[len(moments)-1], old, used, order)[1:]...)
}

// walk returns the objects in an order in which they may be written.
func walk(objects []manifest.Object, order *rand.Rand) []manifest.Object {
	steps := slices.Clone(objects)
	order.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	slices.SortStableFunc(steps, func(a, b manifest.Object) int { return a.Stage - b.Stage })
	return steps
}

func without(objects []manifest.Object, o manifest.Object) []manifest.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(other manifest.Object) bool { return other.ID() == o.ID() })
}
