package ports

import "slices"

// Inherit returns what the slots of an edited policy have of the ports that
// the policy had: prior by member, before its slots. It settles who goes on
// with a port where the edit parts entries that shared one, or brings entries
// together that had two: the slot, or member, that the edit has left alone.
//
// The answer has, by all members of a slot, the one port that the slot goes on
// with: an explicit one if it is among those of prior, whoever had it. Of the
// other slots no two have the same. Ports that nobody goes on with are not in
// the answer.
func Inherit(prior map[string]int64, before, slots []Slot) map[string]int64 {
	service := map[string]int64{}
	for _, slot := range before {
		for _, member := range slot.Members {
			service[member] = slot.Service
		}
	}
	settled, used := map[string]int64{}, map[int64]bool{}
	assigned := slices.DeleteFunc(byKey(slots), func(slot Slot) bool { return slot.Explicit != 0 })
	for _, slot := range slots {
		if slices.Contains(Numbers(prior), slot.Explicit) {
			slot.fill(settled, slot.Explicit)
		}
	}
	for _, unchanged := range []bool{true, false} {
		for _, slot := range assigned {
			if _, ok := slot.Port(settled); ok {
				continue
			}
			heirs := slices.DeleteFunc(slices.Clone(slot.Members), func(member string) bool {
				return unchanged && service[member] != slot.Service
			})
			if port, ok := (Slot{Members: heirs}).priorPort(prior, used); ok {
				used[port] = true
				slot.fill(settled, port)
			}
		}
	}
	return settled
}
