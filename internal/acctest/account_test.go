package acctest_test

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// The provider's account in the tests has what examples/rbac says, where it was
// bound, and nothing more: otherwise the other tests would prove nothing.
func TestAccountHasPublishedPermissionsOnly(t *testing.T) {
	f := acctest.New(t)
	gateway, source, other := f.GatewayNamespace("gateway"), f.SourceNamespace("source"), f.Namespace("other")
	for _, test := range []struct {
		namespace, verb, group, resource string
		allowed                          bool
	}{
		{"", "list", "networking.istio.io", "virtualservices", true},
		{"", "list", "", "secrets", false},
		{gateway, "create", "apps", "deployments", true},
		{gateway, "patch", "networking.istio.io", "gateways", true},
		{gateway, "get", "", "secrets", true},
		{gateway, "create", "", "secrets", false},
		{gateway, "create", "", "pods", false},
		{gateway, "escalate", "rbac.authorization.k8s.io", "roles", false},
		{source, "patch", "networking.istio.io", "serviceentries", true},
		{source, "patch", "networking.istio.io", "gateways", false},
		{source, "patch", "networking.istio.io", "sidecars", true},
		{gateway, "patch", "networking.istio.io", "sidecars", false},
		{source, "create", "", "services", false},
		{source, "get", "", "secrets", false},
		{other, "create", "networking.istio.io", "virtualservices", false},
		{other, "get", "networking.istio.io", "virtualservices", true},
		{"istio-system", "update", "", "configmaps", false},
	} {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:terraform:terraform-provider-istio",
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: test.namespace, Verb: test.verb, Group: test.group, Resource: test.resource,
			},
		}}
		answer, err := f.Kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status.Allowed != test.allowed {
			t.Errorf("%s %s/%s in %q: allowed = %t, want %t", test.verb, test.group, test.resource, test.namespace,
				answer.Status.Allowed, test.allowed)
		}
	}
}

func TestUnwrap(t *testing.T) {
	const diagnostic = "╷\n│ Error: the API server at\n│ https://example does not\n│   answer\n╵\n"
	if got, want := acctest.Unwrap(diagnostic), "Error: the API server at https://example does not answer"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
