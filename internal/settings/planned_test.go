package settings

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

func policyOwner(id string) cluster.Owner {
	return cluster.Owner{Resource: "istio_egress_traffic_policy", ImportID: id}
}

func TestPlannedBeside(t *testing.T) {
	p := &Provider{}
	compiled := 0
	planAs := func(changes bool, id string, keys ...string) {
		p.Plan(Planned{Owner: policyOwner(id), Changes: changes, Keys: keys, Objects: func() map[string][]*unstructured.Unstructured {
			compiled++
			object := &unstructured.Unstructured{} // the same under all keys
			objects := map[string][]*unstructured.Unstructured{}
			for _, key := range keys {
				objects[key] = append(objects[key], object)
			}
			return objects
		}})
	}
	plan := func(id string, keys ...string) { planAs(true, id, keys...) }
	beside := func(id string, keys ...string) []string {
		var ids []string
		for _, other := range p.PlannedBeside(policyOwner(id), keys) {
			ids = append(ids, other.Owner.ImportID)
		}
		slices.Sort(ids)
		return ids
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	check("nothing is planned", beside("a", "host"))
	plan("a", "host", "port")
	check("its own plan", beside("a", "host"))
	check("two keys, one object", beside("b", "host", "port"), "a")
	check("another key", beside("b", "other"))
	plan("b", "host")
	check("whoever comes second", beside("b", "host"), "a")
	check("and the first, planned again", beside("a", "host"), "b")
	plan("a", "port")
	check("given up in a later plan", beside("b", "host"))
	check("kept", beside("b", "port"), "a")
	plan("a", "port")
	check("planned twice", beside("b", "port"), "a")
	if compiled != 4 { // once for each of the three plans of a, and for that of b
		t.Errorf("objects were made %d times", compiled)
	}
	if diff := cmp.Diff([]cluster.Owner{policyOwner("a")}, p.PlannedHolders(policyOwner("b"), "port")); diff != "" {
		t.Error(diff)
	}

	p, compiled = &Provider{}, 0
	planAs(false, "a", "host")
	planAs(false, "b", "host")
	check("neither changes", beside("b", "host"))
	if p.PlanChanges() || compiled > 0 {
		t.Errorf("a plan that does nothing compiles %d policies", compiled)
	}
	plan("c", "host")
	check("what changes sees all", beside("c", "host"), "a", "b")
	check("and is seen", beside("b", "host"), "c")
	planAs(false, "c", "host")
	if p.PlanChanges() {
		t.Error("the change was taken back")
	}
}
