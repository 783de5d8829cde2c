package policy_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

func TestSlots(t *testing.T) {
	p := valid()
	api(&p).Hosts = []string{"b.example", "a.example"}
	web(&p).Hosts = []string{"y.example", "x.example"}
	want := []ports.Slot{
		{Key: "api/a.example", Members: []string{"api/a.example"}},
		{Key: "api/b.example", Members: []string{"api/b.example"}},
		{Key: "web", Members: []string{"web"}},
	}
	if diff := cmp.Diff(want, policy.Slots(p)); diff != "" {
		t.Errorf("assigned: %s", diff)
	}

	api(&p).ByEgressGateway = gatewayPort(444)
	web(&p).ByEgressGateway = gatewayPort(12000)
	want = []ports.Slot{
		{Key: "api", Members: []string{"api"}, Service: 444},
		{Key: "web", Members: []string{"web"}, Service: 12000, Explicit: 12000},
	}
	if diff := cmp.Diff(want, policy.Slots(p)); diff != "" {
		t.Errorf("explicit: %s", diff)
	}

	p.EgressRules[0].To = append(p.EgressRules[0].To, policy.To{
		Name: "another", Hosts: []string{"z.example"}, Port: web(&p).Port, ByEgressGateway: gatewayPort(12000),
	})
	want[0], want[1] = ports.Slot{Key: "another", Members: []string{"another", "web"}, Service: 12000, Explicit: 12000}, want[0]
	if diff := cmp.Diff(want, policy.Slots(p)); diff != "" {
		t.Errorf("shared: %s", diff)
	}

	direct(&p)
	if slots := policy.Slots(p); len(slots) > 0 {
		t.Errorf("direct: %v", slots)
	}
}

// The server numbers of a policy are not the port of any of its Services:
// istiod would bind them to that Service's targetPort instead.
func TestServerNumbersAreTheirOwnTargets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		assigned := assign(p)
		for _, object := range mustObjects(t, p, assigned) {
			if object.Body.GetKind() != "Service" {
				continue
			}
			list, _, _ := unstructured.NestedSlice(object.Body.Object, "spec", "ports")
			seen := map[int64]bool{}
			for _, item := range list {
				fields := item.(map[string]any)
				port, target := fields["port"].(int64), fields["targetPort"].(int64)
				if seen[port] {
					t.Fatalf("port %d comes twice", port)
				}
				seen[port] = true
				if slices.Contains(ports.Numbers(assigned), port) && port != target {
					t.Fatalf("server number %d leads to %d", port, target)
				}
			}
		}
	})
}

// Ports stay with their entries and hosts when the policy is edited: rules
// move and get other names, an entry goes, hosts come and go.
func TestAssignedPortsSurviveEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		before := assign(p)
		edited := shuffled(t, p)
		edited.EgressRules[0].Name = ptr("renamed")
		last := &edited.EgressRules[len(edited.EgressRules)-1]
		last.To = last.To[rapid.IntRange(0, len(last.To)-1).Draw(t, "gone"):]
		first := &edited.EgressRules[0].To[0]
		first.Hosts = append(slices.Clone(first.Hosts[rapid.IntRange(0, len(first.Hosts)-1).Draw(t, "hosts gone"):]), "new.example")

		after, clashes := ports.Keep(before, policy.Slots(edited))
		if len(clashes) > 0 {
			t.Fatal(clashes)
		}
		for _, slot := range policy.Slots(edited) {
			for _, member := range slot.Members {
				if port, ok := before[member]; ok && after[member] != port {
					t.Fatalf("%s moved from %d to %d", member, port, after[member])
				}
			}
		}
	})
}

// SlotID is another one for each policy and slot.
func TestSlotIDs(t *testing.T) {
	p, other := valid(), valid()
	other.Name = "other"
	seen := map[string]bool{}
	for _, p := range []policy.Policy{p, other} {
		for _, slot := range policy.Slots(p) {
			if id := policy.SlotID(p, slot); seen[id] {
				t.Errorf("%s comes twice", id)
			} else {
				seen[id] = true
			}
		}
	}
}

// No policy that is valid has two servers of one name on a port.
func TestServerNamesAreUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		for _, object := range mustObjects(t, p, assign(p)) {
			if object.Body.GetKind() != "Gateway" {
				continue
			}
			var spec struct {
				Servers []struct {
					Hosts []string
					Port  struct{ Name string }
				}
			}
			text, _ := json.Marshal(object.Body.Object["spec"])
			if err := json.Unmarshal(text, &spec); err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, server := range spec.Servers {
				for _, name := range append([]string{"port " + server.Port.Name}, server.Hosts...) {
					if seen[name] {
						t.Fatalf("%s: %s comes twice", object.Key, name)
					}
					seen[name] = true
				}
			}
		}
	})
}
