package grants

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// mostNamed is how many objects a problem names.
const mostNamed = 5

// strays tells of the objects that no record explains.
func (a *auditor) strays() {
	for _, id := range slices.Sorted(maps.Keys(a.marked)) {
		var left []cluster.Marked
		for _, m := range a.marked[id] {
			if !a.explained[m.ID] && !isRecord(m) {
				left = append(left, m)
			}
		}
		switch {
		case len(left) == 0:
		case id == "" || a.read[id]:
			for _, m := range left {
				text := "left over from an update that did not finish, or copied by hand: the policy does not have it"
				if id == "" {
					text = fmt.Sprintf("annotation %s names no policy, and no policy has an object of this name", cluster.AnnotationOwner)
				}
				a.fault(id, m.ID.String(), text, id == "")
			}
		default:
			a.recordless(id, left)
		}
	}
}

// recordless tells of a policy of which there are objects, and no record that
// reads.
func (a *auditor) recordless(id string, left []cluster.Marked) {
	if a.broken[id] {
		return // its record was told of
	}
	var names []string
	for _, m := range left[:min(len(left), mostNamed)] {
		names = append(names, m.ID.String())
	}
	if more := len(left) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	a.fault(id, names[0], "the policy's record, its Service or (of a direct policy) first ServiceEntry, is not there: what it grants is not known. "+
		"It is being created or deleted right now, or was damaged by hand. There is "+strings.Join(names, ", ")+".", true)
}
