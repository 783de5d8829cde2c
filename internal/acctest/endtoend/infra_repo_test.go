package endtoend_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// The namespaces of examples/infra-repo.
const (
	infraGateways = "egress-gateways"
	infraShop     = "shop"
	infraBilling  = "billing"
)

// TestInfraRepoLifecycle goes through examples/infra-repo as its README does: each
// workspace with the identity that bootstrap/ gives it, the platform first and,
// since its gateways are in use, last to go.
func TestInfraRepoLifecycle(t *testing.T) {
	f := acctest.New(t)
	for _, namespace := range []string{infraGateways, infraShop, infraBilling} {
		f.FixedNamespace(namespace)
		f.Apply(namespace, "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: terraform\n")
	}
	repository := filepath.Join(copyExamples(t), "infra-repo")
	open := func(folder, namespace string) *acctest.Workspace {
		w := f.WorkspaceAt(f.CLI, filepath.Join(repository, folder))
		if namespace != "" {
			at := f.Credentials()
			w.Env = append(w.Env, "KUBE_HOST="+at.Host, "KUBE_CLUSTER_CA_CERT_DATA="+at.CA, "KUBE_TOKEN="+token(t, f, namespace, "terraform"))
		}
		w.Expect(0, []string{"get"})
		return w
	}

	bootstrap := open("bootstrap", "")
	bootstrap.Expect(0, acctest.Apply)
	f.Apply("", bootstrap.Expect(0, []string{"output", "-raw", "rbac"}).Stdout)
	const team = "system:serviceaccount:" + infraShop + ":terraform"
	may(t, f, team, infraShop, "serviceentries", true)
	may(t, f, team, infraBilling, "serviceentries", false)
	may(t, f, team, infraGateways, "deployments", false)

	platform, shop, billing := open("platform", infraGateways), open("teams/shop", infraShop), open("teams/billing", infraBilling)
	platform.Expect(0, acctest.Apply)
	shop.Expect(0, acctest.Apply, "shop/app=checkout (sa checkout) -> api.partner.example:443 HTTPS, via egress-gateways/partners")
	billing.Expect(0, acctest.Apply, "billing/* (sa invoices) -> httpbin.org:80 HTTP, upgraded to 443, via egress-gateways/internet")
	istioctlFindsNothing(t, f)

	// Nothing of a reference is lost on its way through output, state and module.
	want := platform.Resources()[`istio_egress_gateway.this["partners"]`].Attributes["reference"]
	if diff := cmp.Diff(want, shop.Resources()[`istio_egress_traffic_policy.this["checkout"]`].Attributes["by_egress_gateway"]); diff != "" {
		t.Errorf("by_egress_gateway is not the gateway's reference (-want +got):\n%s", diff)
	}

	quoted := quotedError(t, "infra-repo/README.md")
	platform.Expect(acctest.Failed, acctest.Destroy, quoted...)
	// As the README says: Terraform has taken the outputs out of the state, before
	// it was refused.
	platform.Expect(acctest.HasChanges, acctest.Plan, "without changing any real infrastructure")
	platform.Expect(0, acctest.Apply, "0 added, 0 changed, 0 destroyed")
	for _, w := range []*acctest.Workspace{platform, shop, billing} {
		w.Expect(acctest.NoChanges, acctest.Plan)
	}

	shop.Expect(0, acctest.Destroy)
	platform.Expect(acctest.Failed, acctest.Destroy, "istio_egress_gateway egress-gateways/internet was not destroyed")
	if f.Get("Sidecar", infraShop, "default") == nil {
		t.Errorf("a destroy that was refused has opened namespace %s", infraShop)
	}
	platform.Expect(0, acctest.Apply, "1 added, 0 changed, 0 destroyed")
	billing.Expect(0, acctest.Destroy)
	platform.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}

// token returns a token of a ServiceAccount.
func token(t *testing.T, f *acctest.Fixture, namespace, name string) string {
	t.Helper()
	request, err := f.Kube.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// may checks whether a user may write a resource in a namespace.
func may(t *testing.T, f *acctest.Fixture, user, namespace, resource string, want bool) {
	t.Helper()
	groups := map[string]string{"serviceentries": "networking.istio.io", "deployments": "apps"}
	review, err := f.Kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: "create", Group: groups[resource], Resource: resource,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if review.Status.Allowed != want {
		t.Errorf("%s: create %s in %s: allowed is %t", user, resource, namespace, review.Status.Allowed)
	}
}

// fencedText is a block of plain text in a page.
var fencedText = regexp.MustCompile("(?s)```text\n(.*?)```")

// quotedError returns the lines of the error that a page quotes.
func quotedError(t *testing.T, page string) []string {
	t.Helper()
	found := fencedText.FindStringSubmatch(read(t, page))
	if found == nil {
		t.Fatalf("examples/%s quotes no error", page)
	}
	return strings.Split(strings.TrimSpace(found[1]), "\n")
}
