package policy_test

import (
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

// A source that leaves the selector out and one whose selector is empty are the
// same workloads: the objects differ in the record of the configuration alone.
func TestNoSelectorIsAnEmptyOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomPolicy(t)
		left := p
		left.EgressRules = slices.Clone(p.EgressRules)
		for i := range left.EgressRules {
			left.EgressRules[i].From = slices.Clone(left.EgressRules[i].From)
			for j, from := range left.EgressRules[i].From {
				if len(from.WorkloadSelector) == 0 {
					left.EgressRules[i].From[j].WorkloadSelector = nil
				}
			}
		}
		said := policy.Spelled(left)
		if diff := cmp.Diff(policy.Grants(left), policy.Grants(said)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(bodies(mustObjects(t, left, assign(left))), bodies(mustObjects(t, said, assign(said)))); diff != "" {
			t.Fatal(diff)
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
