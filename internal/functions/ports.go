package functions

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// assign gives every slot of a policy its container port: the one that the
// policy names, else the one of the options, else a free one. Which is free no
// cluster says: it is the one that the provider would try first, or the next
// from first_port on. Problems are those of the options.
func assign(p policy.Policy, o options) (map[string]int64, []compile.Problem) {
	slots := policy.Slots(p)
	assigned, _ := ports.Keep(nil, slots)
	problems := take(assigned, slots, o.GatewayPorts)
	if first := o.FirstPort; first != 0 && (first < ports.Unprivileged || first > ports.Highest) {
		problems = append(problems, compile.Problem{
			Path: []any{"first_port"}, Summary: "Invalid port",
			Detail: fmt.Sprintf("%d is not between %d and %d.", first, ports.Unprivileged, ports.Highest),
		})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	for _, slot := range ports.Missing(assigned, slots) {
		taken := ports.Numbers(assigned)
		candidates := ports.Candidates(policy.SlotID(p, slot), nil)
		if o.FirstPort != 0 {
			candidates = from(o.FirstPort)
		}
		port, ok := first(candidates, taken)
		if !ok {
			return nil, []compile.Problem{{
				Path: []any{"first_port"}, Summary: "No port left",
				Detail: fmt.Sprintf("Entry %q gets none, since all ports from %d on are taken by others of this policy.", slot.Key, o.FirstPort),
			}}
		}
		slot.Set(assigned, port)
	}
	return assigned, nil
}

// take puts the ports of the options in.
func take(assigned map[string]int64, slots []ports.Slot, given map[string]int64) []compile.Problem {
	var problems []compile.Problem
	fail := func(key, summary, format string, args ...any) {
		problems = append(problems, compile.Problem{Path: []any{"gateway_ports", key}, Summary: summary, Detail: fmt.Sprintf(format, args...)})
	}
	owners := map[int64]string{}
	for _, slot := range slots {
		if port, ok := slot.Port(assigned); ok {
			owners[port] = slot.Key
		}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		port := given[key]
		at := slices.IndexFunc(slots, func(s ports.Slot) bool { return slices.Contains(s.Members, key) })
		if at < 0 {
			fail(key, "Unknown entry", "The policy has no port of this name; it has %s.", members(slots))
			continue
		}
		slot := slots[at]
		current, has := slot.Port(assigned)
		switch owner, taken := owners[port]; {
		case port < ports.Unprivileged || port > ports.Highest || ports.Reserved(port):
			fail(key, "Invalid port", "%d is not between %d and %d, or one of Istio's own (15000-15099 and 15443).", port, ports.Unprivileged, ports.Highest)
		case has && current != port:
			fail(key, "Two ports for one entry", "%d here, and %d by the policy or by another key of the same port.", port, current)
		case taken && owner != slot.Key:
			fail(key, "Port taken", "%d is the port of %q.", port, owner)
		default:
			slot.Set(assigned, port)
			owners[port] = slot.Key
		}
	}
	return problems
}

func members(slots []ports.Slot) []string {
	all := []string{}
	for _, slot := range slots {
		all = append(all, slot.Members...)
	}
	return all
}

// first returns the first port that is not taken.
func first(candidates iter.Seq[int64], taken []int64) (int64, bool) {
	for port := range candidates {
		if !slices.Contains(taken, port) {
			return port, true
		}
	}
	return 0, false
}

// from yields the ports from one on that a server may have.
func from(port int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for ; port <= ports.Highest; port++ {
			if !ports.Reserved(port) && !yield(port) {
				return
			}
		}
	}
}
