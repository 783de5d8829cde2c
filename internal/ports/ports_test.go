package ports_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

func TestReserved(t *testing.T) {
	for port, want := range map[int64]bool{
		14999: false, 15000: true, 15021: true, 15099: true, 15100: false,
		15442: false, 15443: true, 15444: false, 10000: false, 20000: false,
	} {
		if got := ports.Reserved(port); got != want {
			t.Errorf("Reserved(%d) = %t", port, got)
		}
	}
}

func TestCandidatesVisitTheWholeRangeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		seen := map[int64]bool{}
		for port := range ports.Candidates(key, nil) {
			if seen[port] {
				t.Fatalf("%d comes twice", port)
			}
			if !ports.Assignable(port) {
				t.Fatalf("%d is not assignable", port)
			}
			seen[port] = true
		}
		// 10000-20000 without 15000-15099 and 15443.
		if want := 10001 - 100 - 1; len(seen) != want {
			t.Fatalf("%d ports, want %d", len(seen), want)
		}
	})
}

func TestCandidatesAreDeterministicAndSkipTaken(t *testing.T) {
	all := slices.Collect(ports.Candidates("istio-egress/payments/db", nil))
	free := slices.Collect(ports.Candidates("istio-egress/payments/db", func(port int64) bool { return port == all[0] || port == all[2] }))
	want := slices.Concat(all[1:2], all[3:])
	if diff := cmp.Diff(want, free); diff != "" {
		t.Error(diff)
	}
	for range ports.Candidates("x", func(int64) bool { return true }) {
		t.Fatal("a port although all are taken")
	}
}

func TestKeep(t *testing.T) {
	db := ports.Slot{Key: "db/a.example", Members: []string{"db/a.example"}}
	web := ports.Slot{Key: "web", Members: []string{"web"}, Service: 80}
	both := ports.Slot{Key: "api", Members: []string{"api", "web"}, Service: 80}
	explicit := ports.Slot{Key: "mail", Members: []string{"mail"}, Explicit: 12525, Service: 12525}
	tests := []struct {
		name    string
		prior   map[string]int64
		slots   []ports.Slot
		kept    map[string]int64
		clashes []ports.Clash
	}{
		{"nothing yet", nil, []ports.Slot{db, explicit}, map[string]int64{"mail": 12525}, nil},
		{"survives", map[string]int64{"db/a.example": 10001, "gone": 10002}, []ports.Slot{db}, map[string]int64{"db/a.example": 10001}, nil},
		{"another entry joins the shared port", map[string]int64{"web": 10003}, []ports.Slot{both}, map[string]int64{"api": 10003, "web": 10003}, nil},
		{"one of two leaves the shared port", map[string]int64{"api": 10003, "web": 10003}, []ports.Slot{web}, map[string]int64{"web": 10003}, nil},
		{
			"the shared port splits", map[string]int64{"api": 10003, "web": 10003},
			[]ports.Slot{web, {Key: "api", Members: []string{"api"}, Service: 81}}, map[string]int64{"api": 10003}, nil,
		},
		{"an explicit port is not kept as an assigned one", map[string]int64{"web": 8080}, []ports.Slot{web}, map[string]int64{}, nil},
		{
			"an explicit port that is assigned to another entry", map[string]int64{"web": 12525},
			[]ports.Slot{web, explicit},
			map[string]int64{"web": 12525, "mail": 12525},
			[]ports.Clash{{Port: 12525, Demanded: explicit, Assigned: web}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept, clashes := ports.Keep(tt.prior, tt.slots)
			if diff := cmp.Diff(tt.kept, kept); diff != "" {
				t.Errorf("kept: %s", diff)
			}
			if diff := cmp.Diff(tt.clashes, clashes); diff != "" {
				t.Errorf("clashes: %s", diff)
			}
		})
	}
}

// A policy is edited at random; whoever has an assigned port keeps it as long
// as its slot exists, and no two slots ever have the same one.
func TestAssignedPortsNeverMove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := map[string]int64{}
		for step := range rapid.IntRange(1, 8).Draw(t, "edits") {
			names := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 8, rapid.ID).Draw(t, fmt.Sprintf("names %d", step))
			var slots []ports.Slot
			for _, n := range names {
				key := fmt.Sprintf("entry-%d/host", n)
				slots = append(slots, ports.Slot{Key: key, Members: []string{key}})
			}
			next, clashes := ports.Keep(state, slots)
			if len(clashes) > 0 {
				t.Fatalf("clash without an explicit port: %v", clashes)
			}
			for _, slot := range ports.Missing(next, slots) {
				taken := ports.Numbers(next)
				for port := range ports.Candidates(slot.Key, func(p int64) bool { return slices.Contains(taken, p) }) {
					slot.Set(next, port)
					break
				}
			}
			for key, port := range next {
				if before, ok := state[key]; ok && before != port {
					t.Fatalf("%s moved from %d to %d", key, before, port)
				}
			}
			if len(ports.Numbers(next)) != len(next) || len(next) != len(slots) {
				t.Fatalf("not one port per slot: %v", next)
			}
			state = maps.Clone(next)
		}
	})
}

func TestLeft(t *testing.T) {
	all := ports.Left(func(int64) bool { return false })
	if all != len(slices.Collect(ports.Candidates("key", nil))) {
		t.Errorf("%d ports, which is not what candidates are taken from", all)
	}
	if left := ports.Left(func(port int64) bool { return port < 19_990 }); left != 11 {
		t.Errorf("%d from 19990 on", left)
	}
	if ports.Scarce*20 < all || ports.Scarce >= all {
		t.Errorf("a warning at %d of %d ports is too late, or always there", ports.Scarce, all)
	}
}
