package ports_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// Whatever a state says, no two slots get one port, an explicit port is what it
// was asked to be, and an assigned one is in the range and nobody else's.
//
// Each byte of prior is a port of an earlier apply, each of wanted a slot: its
// lowest bit says whether the rest is an explicit port.
func FuzzAllocate(f *testing.F) {
	f.Add([]byte{}, []byte{0, 1, 2, 3}, uint16(0))
	f.Add([]byte{1, 1, 2}, []byte{0, 0, 3, 5}, uint16(7))
	f.Add([]byte{255, 254}, []byte{2, 2, 2, 255}, uint16(65535))
	f.Fuzz(func(t *testing.T, prior, wanted []byte, others uint16) {
		if len(wanted) > 64 {
			return
		}
		before := map[string]int64{}
		for i, b := range prior {
			before[fmt.Sprintf("e%d", i)] = ports.First + int64(b) - 8
		}
		var slots []ports.Slot
		explicit := map[int64]bool{}
		for i, b := range wanted {
			slot := ports.Slot{Key: fmt.Sprintf("e%d", i), Members: []string{fmt.Sprintf("e%d", i)}}
			if b&1 == 1 {
				if slot.Explicit = ports.First + int64(b>>1); explicit[slot.Explicit] {
					continue // entries that share a port are one slot
				}
				explicit[slot.Explicit] = true
			}
			slots = append(slots, slot)
		}
		taken := func(port int64) bool { return others != 0 && port%(1+int64(others)) == 0 }
		assigned, clashes := ports.Keep(before, slots)
		if len(clashes) > 0 {
			return // an error of the configuration
		}
		for _, slot := range ports.Missing(assigned, slots) {
			for port := range ports.Candidates("ns/p/"+slot.Key, taken) {
				used := false
				for _, other := range assigned {
					used = used || other == port
				}
				if used {
					continue
				}
				if !ports.Assignable(port) || taken(port) {
					t.Fatalf("candidate %d", port)
				}
				slot.Set(assigned, port)
				break
			}
		}
		holder := map[int64]string{}
		for _, slot := range slots {
			port, ok := slot.Port(assigned)
			if !ok {
				continue // none was free
			}
			if slot.Explicit != 0 && port != slot.Explicit {
				t.Errorf("%s asked for %d and has %d", slot.Key, slot.Explicit, port)
			}
			if other, double := holder[port]; double {
				t.Errorf("%s and %s have port %d", other, slot.Key, port)
			}
			holder[port] = slot.Key
		}
	})
}
