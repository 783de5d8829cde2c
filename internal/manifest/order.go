package manifest

import (
	"cmp"
	"slices"
)

// Action is what a Step does with its object.
type Action int

const (
	// Write brings an object to its body, creating it where it is missing.
	Write Action = iota
	// Narrow brings an object that exists to a body that allows less than the
	// one it has. What does not exist allows nothing.
	Narrow
	// Delete removes an object; a shared one only with its last user.
	Delete
)

// Step is one write to the cluster.
type Step struct {
	Do     Action
	Object Object
}

// The walks below are lists of groups of steps: the steps of a group may be
// taken in parallel, a group begins when the one before is done.

// Creating writes objects stage by stage.
func Creating(objects []Object) [][]Step { return byStage(Write, objects) }

// Deleting removes objects in reverse: the owned ones, then the shared ones,
// which are in use for as long as an owned one is there.
func Deleting(objects []Object) [][]Step {
	var owned, shared []Object
	for _, object := range objects {
		if object.Shared != nil {
			shared = append(shared, object)
		} else {
			owned = append(owned, object)
		}
	}
	return append(backwards(byStage(Delete, owned)), backwards(byStage(Delete, shared))...)
}

// Updating goes from prior to objects: what first says, in reverse; then all
// objects, stage by stage; then what prior has and objects has not is removed,
// so that traffic moves to the new objects before the old ones go.
//
// first has those objects of prior that have to give something up before
// anything is written: an object that stays is narrowed to the body it has in
// first, one that does not stay is removed.
func Updating(prior, first, objects []Object) [][]Step {
	kept, gone := ids(objects), ids(first)
	var early [][]Step
	for _, group := range backwards(byStage(Narrow, first)) {
		for i := range group {
			if !kept[group[i].Object.ID()] {
				group[i].Do = Delete
			}
		}
		early = append(early, group)
	}
	var surplus []Object
	for _, object := range prior {
		if id := object.ID(); !kept[id] && !gone[id] {
			surplus = append(surplus, object)
		}
	}
	return slices.Concat(early, Creating(objects), Deleting(surplus))
}

// byStage groups objects by stage, lowest first.
func byStage(do Action, objects []Object) [][]Step {
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b Object) int { return cmp.Compare(a.Stage, b.Stage) })
	var groups [][]Step
	for i, object := range sorted {
		if i == 0 || object.Stage != sorted[i-1].Stage {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], Step{Do: do, Object: object})
	}
	return groups
}

func backwards(groups [][]Step) [][]Step {
	slices.Reverse(groups)
	return groups
}

func ids(objects []Object) map[ID]bool {
	all := make(map[ID]bool, len(objects))
	for _, object := range objects {
		all[object.ID()] = true
	}
	return all
}
