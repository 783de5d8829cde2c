package policy_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// sharedOf returns the one AuthorizationPolicy of a policy from one namespace.
func sharedOf(t *testing.T, p policy.Policy, mesh compile.Mesh) manifest.Object {
	t.Helper()
	objects, err := policy.Objects(p, mesh, assign(p))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if object.Body.GetKind() == "AuthorizationPolicy" {
			return object
		}
	}
	t.Fatal("no AuthorizationPolicy")
	return manifest.Object{}
}

// All policies of a namespace write the same object.
func TestSharedObjectIsThatOfEveryPolicy(t *testing.T) {
	one, other := valid(), valid()
	other.Name, other.Revision = "other", ptr("own")
	other.EgressRules = other.EgressRules[1:]
	a, b := sharedOf(t, one, defaultMesh), sharedOf(t, other, defaultMesh)
	if manifest.Canonical(a.Body) != manifest.Canonical(b.Body) || a.Key != b.Key {
		t.Errorf("%s\n%s", manifest.Canonical(a.Body), manifest.Canonical(b.Body))
	}
	if a.Shared == nil || a.Body.GetName() != policy.FromName("gw", "shop") {
		t.Errorf("%v", a)
	}
}

// Its users are the policy Services of the gateway that are exported to the
// namespace.
func TestSharedObjectFindsItsUsers(t *testing.T) {
	p := valid()
	p.EgressRules[1].From[0].Namespace = "billing"
	var service *unstructured.Unstructured
	var shared []manifest.Object
	for _, object := range mustObjects(t, p, assign(p)) {
		switch object.Body.GetKind() {
		case "Service":
			service = object.Body
		case "AuthorizationPolicy":
			shared = append(shared, object)
		}
	}
	if len(shared) != 2 {
		t.Fatalf("%d shared objects for two namespaces", len(shared))
	}
	for _, object := range shared {
		selector, err := labels.Parse(object.Shared.Selector)
		if err != nil {
			t.Fatal(err)
		}
		if !selector.Matches(labels.Set(service.GetLabels())) || object.Shared.Users != service.GroupVersionKind() ||
			object.Shared.Namespace != service.GetNamespace() || !object.Shared.InUse(service) {
			t.Errorf("%s does not find its user", object.Key)
		}
		other := service.DeepCopy()
		other.SetAnnotations(map[string]string{compile.AnnotationExportTo: "shop-2, other"})
		if object.Shared.InUse(other) {
			t.Errorf("%s is used from a namespace that it does not admit", object.Key)
		}
		other.SetAnnotations(map[string]string{compile.AnnotationExportTo: "other, " + strings.TrimPrefix(object.Body.GetName(), "gw-from-")})
		if !object.Shared.InUse(other) {
			t.Errorf("%s misses a user", object.Key)
		}
		unchecked := p
		reference := *p.ByEgressGateway
		reference.MutualTLS, reference.Authorization = new(bool), ptr(string(compile.AuthorizationNone))
		unchecked.ByEgressGateway = &reference
		other.SetAnnotations(map[string]string{
			compile.AnnotationExportTo: service.GetAnnotations()[compile.AnnotationExportTo],
			compile.AnnotationSpec:     policy.Spec(unchecked),
		})
		if object.Shared.InUse(other) {
			t.Errorf("%s is kept for a policy whose gateway does not check namespaces", object.Key)
		}
	}
}

func TestSharedObjectOfAnotherTrustDomain(t *testing.T) {
	mesh := func(domain string, aliases ...string) compile.Mesh {
		m := defaultMesh
		m.TrustDomain, m.TrustDomainAliases = domain, aliases
		return m
	}
	ours := sharedOf(t, valid(), mesh("cluster.local"))
	for _, tt := range []struct {
		name string
		live compile.Mesh
		ok   bool
	}{
		{"the same", mesh("cluster.local"), true},
		{"an alias more", mesh("cluster.local", "old.example"), true},
		{"ours as its alias", mesh("new.example", "cluster.local"), true},
		{"another", mesh("other.example"), false},
	} {
		err := ours.Shared.Compatible(sharedOf(t, valid(), tt.live).Body)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && !(strings.Contains(err.Error(), "other.example") && strings.Contains(err.Error(), "cluster.local")) {
			t.Errorf("%s: the error does not name both: %v", tt.name, err)
		}
	}
	for _, principal := range []string{"*", "/ns/shop/*", "cluster.local/ns/*", "cluster.local/ns/other/*"} {
		edited := sharedOf(t, valid(), defaultMesh).Body
		edited.Object["spec"] = map[string]any{"rules": []any{map[string]any{
			"from": []any{map[string]any{"source": map[string]any{"principals": []any{principal}}}},
		}}}
		if err := ours.Shared.Compatible(edited); err != nil {
			t.Errorf("an edit is no other configuration: %v", err)
		}
	}
	if err := ours.Shared.Compatible(&unstructured.Unstructured{Object: map[string]any{}}); err != nil {
		t.Errorf("an object without rules admits nobody: %v", err)
	}
}
