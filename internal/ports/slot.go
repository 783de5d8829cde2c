package ports

import (
	"maps"
	"slices"
)

// Slot is one container port that a policy needs.
type Slot struct {
	// Key names the slot; it is the first of Members.
	Key string
	// Members are the keys, in ascending order, under which the attribute
	// `gateway_ports` shows the port: "entry" or "entry/host". More than one
	// where entries share an explicit port.
	Members []string
	// Explicit is the container port that the configuration demands; 0 if it
	// is to be assigned.
	Explicit int64
	// Service is the port of the policy's Service that leads to the container
	// port; 0 if it has the same number.
	Service int64
}

// Clash is an assigned port that the configuration now demands for another
// slot of the same policy.
type Clash struct {
	Port int64
	// Demanded is the slot that names the port, Assigned the one that has it.
	Demanded, Assigned Slot
}

// Keep returns, by member key, the ports that are settled without asking the
// cluster: the explicit ones, and of prior (the `gateway_ports` of the state)
// every assigned one whose slot still exists. A slot that is missing in the
// answer needs a port from Candidates.
//
// An assigned port never moves while its entry and host exist. Where that
// contradicts an explicit port of the same policy, the slot keeps its port and
// the contradiction is returned as a Clash: an error of the configuration.
// A port that two slots had in common stays with the first of them.
func Keep(prior map[string]int64, slots []Slot) (map[string]int64, []Clash) {
	kept := map[string]int64{}
	var clashes []Clash
	demanded := map[int64]Slot{}
	for _, slot := range slots {
		if slot.Explicit != 0 {
			demanded[slot.Explicit] = slot
			slot.fill(kept, slot.Explicit)
		}
	}
	used := map[int64]bool{}
	for _, slot := range byKey(slots) {
		if slot.Explicit != 0 {
			continue
		}
		port, ok := slot.priorPort(prior, used)
		if !ok {
			continue
		}
		if other, taken := demanded[port]; taken {
			clashes = append(clashes, Clash{Port: port, Demanded: other, Assigned: slot})
		}
		used[port] = true
		slot.fill(kept, port)
	}
	return kept, clashes
}

// priorPort returns the port that one of the slot's members had.
func (s Slot) priorPort(prior map[string]int64, used map[int64]bool) (int64, bool) {
	for _, member := range s.Members {
		// A number outside the range was an explicit one; it goes with the
		// attribute that named it.
		if port, ok := prior[member]; ok && Assignable(port) && !used[port] {
			return port, true
		}
	}
	return 0, false
}

func (s Slot) fill(ports map[string]int64, port int64) {
	for _, member := range s.Members {
		ports[member] = port
	}
}

// Port returns the slot's port in a map of member keys, if it is there.
func (s Slot) Port(ports map[string]int64) (int64, bool) {
	port, ok := ports[s.Key]
	return port, ok
}

// Set records the slot's port under each of its members.
func (s Slot) Set(ports map[string]int64, port int64) { s.fill(ports, port) }

// Missing returns the slots that have no port in the map.
func Missing(ports map[string]int64, slots []Slot) []Slot {
	var missing []Slot
	for _, slot := range slots {
		if _, ok := slot.Port(ports); !ok {
			missing = append(missing, slot)
		}
	}
	return missing
}

func byKey(slots []Slot) []Slot {
	sorted := slices.Clone(slots)
	slices.SortFunc(sorted, func(a, b Slot) int {
		if a.Key < b.Key {
			return -1
		}
		if a.Key > b.Key {
			return 1
		}
		return 0
	})
	return sorted
}

// Numbers returns the distinct ports of a map of member keys.
func Numbers(ports map[string]int64) []int64 {
	return slices.Compact(slices.Sorted(maps.Values(ports)))
}
