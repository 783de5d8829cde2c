package settings

import (
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
	plan := func(id string, keys ...string) {
		p.Plan(Planned{Owner: policyOwner(id), Keys: keys, Objects: func() []*unstructured.Unstructured { compiled++; return nil }})
	}
	beside := func(id string, keys ...string) []string {
		var ids []string
		for _, other := range p.PlannedBeside(policyOwner(id), keys) {
			other.Objects()
			ids = append(ids, other.Owner.ImportID)
		}
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
	check("two keys, one policy", beside("b", "host", "port"), "a")
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
	if diff := cmp.Diff([]string{"a"}, beside("c", "port")); diff != "" {
		t.Error(diff)
	}
}
