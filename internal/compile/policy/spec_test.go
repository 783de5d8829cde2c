package policy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

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
