package ports_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// assign gives a policy its ports as an apply does: it keeps what it may of
// the ports before, and takes candidates that nobody else has for the rest. It
// reports false where the policy asks for a port that is assigned.
func assign(before policy.Policy, prior map[string]int64, p policy.Policy, others []int64) (map[string]int64, bool) {
	slots := policy.Slots(p)
	assigned, clashes := ports.Keep(ports.Inherit(prior, policy.Slots(before), slots), slots)
	for _, slot := range ports.Missing(assigned, slots) {
		own := ports.Numbers(assigned)
		for port := range ports.Candidates(policy.SlotID(p, slot), func(port int64) bool {
			return slices.Contains(own, port) || slices.Contains(others, port)
		}) {
			slot.Set(assigned, port)
			break
		}
	}
	return assigned, len(clashes) == 0
}

// served returns the port of each host of each entry, and how the entry asks
// for it: what a user takes for one and the same way.
func served(p policy.Policy, assigned map[string]int64) (way map[string]string, port map[string]int64) {
	way, port = map[string]string{}, map[string]int64{}
	for _, rule := range p.EgressRules {
		for _, to := range rule.To {
			asked := int64(0)
			if to.ByEgressGateway != nil {
				asked = to.ByEgressGateway.Port
			}
			for _, host := range to.Hosts {
				member := to.Name
				if _, ok := assigned[member]; !ok {
					member += "/" + host
				}
				key := to.Name + " " + host
				way[key], port[key] = fmt.Sprintf("%s on %d", to.Port.Protocol, asked), assigned[member]
			}
		}
	}
	return way, port
}

// A policy is edited again and again, while somebody else takes ports of the
// gateway: who has an assigned port keeps it as long as its entry and host
// exist and ask for the same, no two slots ever have one port, and an import
// finds the same ports.
func TestPortsStayOverEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		others := rapid.SliceOfN(rapid.Int64Range(ports.First, ports.Last), 0, 3).Draw(t, "others")
		others = slices.DeleteFunc(others, func(port int64) bool { return port == 12000 || port == 12001 })
		assigned, ok := assign(p, nil, p, others)
		if !ok {
			t.Fatal("a clash in a policy that has no ports")
		}
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			edited := policytest.Edit(t, p)
			next, ok := assign(p, assigned, edited, others)
			if !ok {
				continue // refused: a port that is assigned is demanded for another entry
			}
			stays(t, p, edited, assigned, next)
			distinct(t, edited, next, others)
			imports(t, edited, next)
			p, assigned = edited, next
		}
	})
}

func stays(t *rapid.T, p, edited policy.Policy, before, after map[string]int64) {
	t.Helper()
	wayBefore, portBefore := served(p, before)
	wayAfter, portAfter := served(edited, after)
	for key, port := range portBefore {
		if wayAfter[key] == wayBefore[key] && portAfter[key] != port {
			t.Fatalf("%s moved from %d to %d", key, port, portAfter[key])
		}
	}
}

func distinct(t *rapid.T, p policy.Policy, assigned map[string]int64, others []int64) {
	t.Helper()
	taken := map[int64]string{}
	for _, slot := range policy.Slots(p) {
		port, ok := slot.Port(assigned)
		if !ok {
			t.Fatalf("%s has no port", slot.Key)
		}
		if other, ok := taken[port]; ok {
			t.Fatalf("%s and %s have port %d", other, slot.Key, port)
		}
		taken[port] = slot.Key
		if slot.Explicit != 0 && port != slot.Explicit {
			t.Fatalf("%s asked for %d, and has %d", slot.Key, slot.Explicit, port)
		}
		if slot.Explicit == 0 && (!ports.Assignable(port) || slices.Contains(others, port)) {
			t.Fatalf("%s was assigned %d", slot.Key, port)
		}
	}
	if len(ports.Numbers(assigned)) != len(taken) {
		t.Fatalf("ports without a slot: %v", assigned)
	}
}

func imports(t *rapid.T, p policy.Policy, assigned map[string]int64) {
	t.Helper()
	if p.ByEgressGateway == nil {
		return
	}
	objects, err := policy.Objects(p, policytest.Mesh, assigned)
	if err != nil {
		t.Fatal(err)
	}
	var live []*unstructured.Unstructured
	for _, object := range objects {
		if object.Body.GetKind() == "Gateway" {
			live = append(live, object.Body)
		}
	}
	if diff := cmp.Diff(assigned, policy.LivePorts(p, live)); diff != "" {
		t.Fatalf("import: %s", diff)
	}
}

// Who goes on with a port when entries part or come together.
func TestInherit(t *testing.T) {
	slot := func(service int64, members ...string) ports.Slot {
		return ports.Slot{Key: members[0], Members: members, Service: service}
	}
	tests := []struct {
		name          string
		prior         map[string]int64
		before, slots []ports.Slot
		want          map[string]int64
	}{
		{
			"the one that stays keeps the port", map[string]int64{"left": 10001, "right": 10001},
			[]ports.Slot{slot(80, "left", "right")}, []ports.Slot{slot(81, "left"), slot(80, "right")},
			map[string]int64{"right": 10001},
		},
		{
			"the one that comes takes the port that is there", map[string]int64{"left": 10001, "right": 10002},
			[]ports.Slot{slot(81, "left"), slot(80, "right")}, []ports.Slot{slot(80, "left", "right")},
			map[string]int64{"left": 10002, "right": 10002},
		},
		{
			"another Service port is no other port", map[string]int64{"left": 10001},
			[]ports.Slot{slot(80, "left")}, []ports.Slot{slot(81, "left")},
			map[string]int64{"left": 10001},
		},
		{
			"both change", map[string]int64{"left": 10001, "right": 10001},
			[]ports.Slot{slot(80, "left", "right")}, []ports.Slot{slot(81, "left"), slot(82, "right")},
			map[string]int64{"left": 10001},
		},
		{
			"an explicit port is held by whoever asks for it now", map[string]int64{"old": 2444, "left": 10001, "right": 10001},
			[]ports.Slot{{Key: "old", Members: []string{"old"}, Service: 2444, Explicit: 2444}, slot(80, "left", "right")},
			[]ports.Slot{{Key: "new", Members: []string{"new"}, Service: 2444, Explicit: 2444}, {Key: "left", Members: []string{"left"}, Service: 12000, Explicit: 12000}, slot(81, "right")},
			map[string]int64{"new": 2444, "right": 10001},
		},
		{
			"what is gone is gone", map[string]int64{"left": 10001, "right": 10002},
			[]ports.Slot{slot(0, "left"), slot(0, "right")}, []ports.Slot{slot(0, "right")},
			map[string]int64{"right": 10002},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			prior := maps.Clone(tt.prior)
			if diff := cmp.Diff(tt.want, ports.Inherit(tt.prior, tt.before, tt.slots)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(prior, tt.prior); diff != "" {
				t.Errorf("the argument is changed: %s", diff)
			}
		})
	}
}
