package policy

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

func label(t *rapid.T, name string, longest int) string {
	return rapid.StringMatching(`[a-z]([-a-z0-9]{0,61}[a-z0-9])?`).
		Filter(func(s string) bool { return len(s) <= longest }).Draw(t, name)
}

// The name of a grant is a DNS name that ends as the gateway's
// AuthorizationPolicy expects, whatever the lengths of its parts.
func TestGrantNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &layout{
			policy: Policy{Name: label(t, "policy", maxPolicyName)},
			ref:    compile.Reference{Name: label(t, "gateway", maxGatewayName), Namespace: label(t, "gateway namespace", maxLabel)},
		}
		namespace, entry := label(t, "namespace", maxLabel), label(t, "entry", maxLabel)
		host := rapid.SampledFrom([]string{"", "a.example", "*.a.example", "203.0.113.7", "2001:db8::1", strings.Repeat("long-label.", 20) + "example"}).Draw(t, "host")
		name := l.sni(entry, host, namespace)
		if found := validation.IsDNS1123Subdomain(name); len(found) > 0 || len(name) > maxName {
			t.Fatalf("%q: %v", name, found)
		}
		for _, part := range strings.Split(name, ".") {
			if found := validation.IsDNS1123Label(part); len(found) > 0 {
				t.Fatalf("%q: %q: %v", name, part, found)
			}
		}
		if !strings.HasSuffix(name, "."+namespace+"."+l.ref.Name+"."+l.ref.Namespace+".egress.internal") {
			t.Fatalf("%q does not end in its namespace", name)
		}
		if other := l.sni(entry+"x", host, namespace); other == name {
			t.Fatalf("two entries have the name %q", name)
		}
	})
}

func TestSlugsDiffer(t *testing.T) {
	hosts := []string{
		"a.b.example", "a-b.example", "a.b-example.example", "a--b.example",
		"*.example.com", "any.example.com", "any-example.com", "x.any.example.com",
		"1.1.1.1", "11.1.1.1", "1.11.1.1", "::1", "2001:db8::1", "2001:db8:0:1::1",
	}
	seen := map[string]string{}
	for _, host := range hosts {
		if other, ok := seen[slug(host)]; ok {
			t.Errorf("%q and %q are both %q", host, other, slug(host))
		}
		seen[slug(host)] = host
	}
}

func TestObjectNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &layout{policy: Policy{Name: label(t, "policy", maxPolicyName)}, ref: compile.Reference{Namespace: "istio-egress"}}
		part := label(t, "part", maxLabel)
		name := l.objectName(part, "a.example")
		if found := validation.IsDNS1123Label(name); len(found) > 0 {
			t.Fatalf("%q: %v", name, found)
		}
		if name == l.objectName(part, "b.example") {
			t.Fatalf("two hosts have the name %q", name)
		}
		elsewhere := &layout{policy: l.policy, ref: compile.Reference{Namespace: "other-egress"}}
		if name == elsewhere.objectName(part, "a.example") {
			t.Fatalf("policies of two gateway namespaces have the name %q", name)
		}
	})
}
