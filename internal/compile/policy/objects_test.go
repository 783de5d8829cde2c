package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

func mustObjects(t interface{ Fatal(...any) }, p policy.Policy, assigned map[string]int64) []manifest.Object {
	objects, err := policy.Objects(p, defaultMesh, assigned)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// bodies returns the canonical JSON of objects by key, without the record of
// the configuration, which keeps its order.
func bodies(objects []manifest.Object) map[string]string {
	all := map[string]string{}
	for _, object := range objects {
		body := object.Body.DeepCopy()
		annotations := body.GetAnnotations()
		delete(annotations, compile.AnnotationSpec)
		body.SetAnnotations(annotations)
		all[object.Key] = manifest.Canonical(body)
	}
	return all
}

func TestOrderHasNoMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		assigned := assign(p)
		other := shuffled(t, p)
		if diff := cmp.Diff(bodies(mustObjects(t, p, assigned)), bodies(mustObjects(t, other, assigned))); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(policy.Grants(p), policy.Grants(other)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(policy.Slots(p), policy.Slots(other)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestObjectsAreWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		objects := mustObjects(t, p, assign(p))
		keys, ids := map[string]bool{}, map[manifest.ID]bool{}
		for i, object := range objects {
			if keys[object.Key] || ids[object.ID()] {
				t.Fatalf("%s comes twice", object.Key)
			}
			keys[object.Key], ids[object.ID()] = true, true
			if i > 0 && objects[i-1].Stage > object.Stage {
				t.Fatalf("%s is out of order", object.Key)
			}
			checkBody(t, object)
		}
	})
}

func checkBody(t *rapid.T, object manifest.Object) {
	// DeepCopyJSONValue panics at what is not a JSON value of Kubernetes.
	body := object.Body.DeepCopy().Object
	if _, ok := body["status"]; ok {
		t.Fatalf("%s has a status", object.Key)
	}
	if text := manifest.Canonical(object.Body); strings.Contains(text, ":null") {
		t.Fatalf("%s has a null: %s", object.Key, text)
	}
	if found := validation.IsDNS1123Subdomain(object.Body.GetName()); len(found) > 0 || len(object.Body.GetName()) > 63 {
		t.Fatalf("%s: %v", object.Key, found)
	}
	for key, value := range object.Body.GetLabels() {
		if found := validation.IsValidLabelValue(value); len(found) > 0 {
			t.Fatalf("%s: label %s: %v", object.Key, key, found)
		}
	}
	if kind := object.Body.GetKind(); kind == "ServiceEntry" || kind == "VirtualService" || kind == "DestinationRule" {
		exportTo, _, _ := unstructured.NestedStringSlice(body, "spec", "exportTo")
		if !slices.Equal(exportTo, []string{"."}) {
			t.Fatalf("%s is exported to %v", object.Key, exportTo)
		}
	}
}

// All ServiceEntries carry the same labels, whatever policy they are of:
// Istio merges only those.
func TestServiceEntriesOfAllPoliciesMerge(t *testing.T) {
	one, other := valid(), valid()
	other.Name = "other"
	var labels []map[string]string
	for _, p := range []policy.Policy{one, other} {
		for _, object := range mustObjects(t, p, assign(p)) {
			if object.Body.GetKind() == "ServiceEntry" {
				labels = append(labels, object.Body.GetLabels())
			}
		}
	}
	for _, l := range labels {
		if diff := cmp.Diff(labels[0], l); diff != "" {
			t.Error(diff)
		}
	}
}

// The keys are known before any port is, and Preview says which bodies wait
// for one.
func TestPreview(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		assigned := assign(p)
		final := mustObjects(t, p, assigned)
		// Some ports are settled, others not.
		settled := map[string]int64{}
		for _, slot := range policy.Slots(p) {
			if slot.Explicit != 0 || rapid.Bool().Draw(t, slot.Key) {
				port, _ := slot.Port(assigned)
				slot.Set(settled, port)
			}
		}
		objects, pending := policy.Preview(p, defaultMesh, settled)
		if len(objects) != len(final) {
			t.Fatalf("%d objects, finally %d", len(objects), len(final))
		}
		want := bodies(final)
		for key, body := range bodies(objects) {
			finally, ok := want[key]
			if !ok {
				t.Fatalf("key %s vanishes", key)
			}
			if pending[key] == (body == finally) {
				t.Fatalf("%s pending: %t, body stays: %t", key, pending[key], body == finally)
			}
		}
		if len(settled) == len(assigned) && len(pending) > 0 {
			t.Fatalf("all ports are known, and %v wait", slices.Collect(maps.Keys(pending)))
		}
	})
}

func TestObjectsNeedAllPorts(t *testing.T) {
	if _, err := policy.Objects(valid(), defaultMesh, map[string]int64{"web": 10000}); err == nil {
		t.Error("no error although entry api has no port")
	}
}

// GatewayObject reserves exactly what Objects has, and import finds the ports
// again in the live objects.
func TestReservationAndImport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		assigned := assign(p)
		var live []*unstructured.Unstructured
		for _, object := range mustObjects(t, p, assigned) {
			if object.Body.GetKind() == "Gateway" {
				live = append(live, object.Body)
			}
		}
		slots := policy.Slots(p)
		if len(live) != len(slots) {
			t.Fatalf("%d Gateways for %d ports", len(live), len(slots))
		}
		for _, slot := range slots {
			port, _ := slot.Port(assigned)
			reserved := policy.GatewayObject(p, defaultMesh, slot, port)
			if !slices.ContainsFunc(live, func(l *unstructured.Unstructured) bool {
				return manifest.Canonical(l) == manifest.Canonical(reserved.Body)
			}) {
				t.Fatalf("%s is not among the objects", reserved.Key)
			}
		}
		if p.ByEgressGateway == nil {
			return
		}
		found := policy.LivePorts(p, live)
		if diff := cmp.Diff(assigned, found); diff != "" {
			t.Fatal(diff)
		}
		other := p
		other.Name = "somebody-else"
		if found := policy.LivePorts(other, live); len(found) > 0 {
			t.Fatalf("Gateways of another policy: %v", found)
		}
	})
}

// The annotation restores the policy exactly, null and empty included.
func TestSpecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		p.EgressRules[0].From[0].ServiceAccounts = rapid.SampledFrom([][]string{nil, {}, {"a"}}).Draw(t, "accounts")
		p.EgressRules[0].From[0].WorkloadSelector = rapid.SampledFrom([]map[string]string{nil, {}, {"a": "<&>"}}).Draw(t, "labels")
		p.EgressRules[0].To[0].Addresses = rapid.SampledFrom([][]string{nil, {}, {"1.1.1.1"}}).Draw(t, "addresses")
		p.EgressRules[0].To[0].TLS = rapid.SampledFrom([]*policy.TLS{nil, {Mode: "SIMPLE", SubjectAltNames: []string{}, InsecureSkipVerify: ptr(false)}}).Draw(t, "tls")
		got, err := policy.ParseSpec(policy.Spec(p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Fatal(diff)
		}
	})
	for _, text := range []string{"", "{", `{"name":"x","surprise":1}`} {
		if _, err := policy.ParseSpec(text); err == nil {
			t.Errorf("%q is a policy", text)
		}
	}
}

// The object that import reads the policy from carries it.
func TestSpecStandsOnOneObject(t *testing.T) {
	gatewayed, declared := valid(), valid()
	direct(&declared)
	declared.EgressRules[0].From = append(declared.EgressRules[0].From, policy.From{Namespace: "another"})
	for kind, p := range map[string]policy.Policy{"Service/istio-egress": gatewayed, "ServiceEntry/another": declared} {
		var carriers []string
		for _, object := range mustObjects(t, p, assign(p)) {
			text, ok := object.Body.GetAnnotations()[compile.AnnotationSpec]
			if !ok {
				continue
			}
			carriers = append(carriers, object.Body.GetKind()+"/"+object.Body.GetNamespace())
			if got, err := policy.ParseSpec(text); err != nil || !cmp.Equal(got, p) {
				t.Errorf("%s: %v %v", object.Key, got, err)
			}
			if namespace, name := policy.Identity(p); namespace != object.Body.GetNamespace() || name != p.Name {
				t.Errorf("identity is %s/%s, the record stands in %s", namespace, name, object.Body.GetNamespace())
			}
		}
		if diff := cmp.Diff([]string{kind}, carriers); diff != "" {
			t.Error(diff)
		}
	}
}

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

// A control plane of a revision reads what carries its label: the policy's
// own revision, else the gateway's, else the provider's.
func TestEveryObjectIsOfTheRevision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		mesh := defaultMesh
		mesh.Revision = "from-provider"
		want := mesh.Revision
		if p.ByEgressGateway != nil && p.ByEgressGateway.Revision != nil {
			want = *p.ByEgressGateway.Revision
		}
		shared := want
		if p.Revision != nil {
			want = *p.Revision
		}
		objects, err := policy.Objects(p, mesh, assign(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			got := object.Body.GetLabels()[compile.LabelRevision]
			if object.Shared == nil && got != want || object.Shared != nil && got != shared {
				t.Fatalf("%s is of revision %q", object.Key, got)
			}
		}
	})
}

// A request is retried at one place: sidecars never do, so that retries of
// the gateway do not multiply.
func TestSidecarsNeverRetry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		for _, object := range mustObjects(t, p, assign(p)) {
			gateways, _, _ := unstructured.NestedStringSlice(object.Body.Object, "spec", "gateways")
			if object.Body.GetKind() != "VirtualService" || !slices.Contains(gateways, "mesh") {
				continue
			}
			routes, _, _ := unstructured.NestedSlice(object.Body.Object, "spec", "http")
			for _, route := range routes {
				attempts, found, err := unstructured.NestedInt64(route.(map[string]any), "retries", "attempts")
				if !found || err != nil || attempts != 0 {
					t.Fatalf("%s: %v", object.Key, route)
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

func BenchmarkObjects1000Policies(b *testing.B) {
	p := valid()
	for b.Loop() {
		for i := range 1000 {
			p.Name = fmt.Sprintf("policy-%d", i)
			if problems := policy.Validate(p, defaultMesh); len(problems) > 0 {
				b.Fatal(problems)
			}
			policy.Grants(p)
			objects, _ := policy.Preview(p, defaultMesh, nil)
			for _, object := range objects {
				manifest.DetailDigest.Render(object.Body)
			}
		}
	}
}

func BenchmarkObjects1000PoliciesWithPorts(b *testing.B) {
	p := valid()
	assigned := assign(p)
	for b.Loop() {
		for i := range 1000 {
			p.Name = fmt.Sprintf("policy-%d", i)
			if _, err := policy.Objects(p, defaultMesh, assigned); err != nil {
				b.Fatal(err)
			}
		}
	}
}
