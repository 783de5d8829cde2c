package trafficpolicy_test

import (
	"strconv"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// Without a cluster the policies of a run are compared all the same, and one
// note for all of them says what was not.
func TestConflictsOffline(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: "egress", shop: "shop"}
	nowhere := acctest.WithAttribute("host", strconv.Quote("https://127.0.0.1:1"))
	w := f.Workspace(f.CLI, f.Config(s.calls("orders", "a", `"www.example.com"`)+s.calls("billing", "a", `"www.example.com"`), nowhere))
	w.Expect(acctest.Failed, acctest.Plan, "As this run plans it", "egress/")
	// Istio selects pods of all namespaces: two gateways of one name share their ports.
	port := func(s scene, name string) string {
		return strings.Replace(s.calls(name, "a", strconv.Quote(name+".example.com")), `"HTTPS" }`, `"HTTPS" }, by_egress_gateway = { port = 2443 }`, 1)
	}
	w.Write("main.tf", f.Config(port(s, "orders")+port(scene{egress: "elsewhere", shop: "shop"}, "billing"), nowhere))
	w.Expect(acctest.Failed, acctest.Plan, "opens port 2443")
	w.Write("main.tf", f.Config(s.calls("orders", "a", `"www.example.com"`)+s.calls("billing", "b", `"www.example.com"`), nowhere))
	result := w.Expect(acctest.HasChanges, acctest.Plan, "Conflicts with what is in the cluster show at apply only")
	if n := strings.Count(result.Output, "the plan is made without looking at it"); n != 1 {
		t.Errorf("%d notes:\n%s", n, result.Output)
	}
}

// What the credentials may not look at is named once, and is no failure.
func TestConflictsWithoutPermission(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.Namespace("egress"), shop: f.Namespace("shop")}
	f.Apply(s.egress, strings.NewReplacer("$ns", s.egress).Replace(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: narrow}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: narrow-$ns}
rules:
  - apiGroups: [""]
    resources: [services]
    verbs: [get, list, create, patch, update, delete]
  - apiGroups: [networking.istio.io]
    resources: [gateways, serviceentries, virtualservices, destinationrules]
    verbs: [get, list, create, patch, update, delete]
  - apiGroups: [security.istio.io]
    resources: [authorizationpolicies]
    verbs: [get, list, create, patch, update, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: narrow-$ns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: narrow-$ns}
subjects: [{kind: ServiceAccount, name: narrow, namespace: $ns}]
`))
	token, err := f.Kube.CoreV1().ServiceAccounts(s.egress).CreateToken(t.Context(), "narrow", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	narrow := acctest.WithAttribute("token", strconv.Quote(token.Status.Token))
	w := f.Workspace(f.CLI, f.Config(s.guarded()+s.calls("orders", "b", `"www.example.org"`), narrow))
	result := w.Expect(acctest.HasChanges, acctest.Plan)
	for _, permission := range []string{
		"list sidecars.networking.istio.io in all namespaces",
		"list sidecars.networking.istio.io in namespace " + s.shop,
		"get secrets in namespace " + s.egress,
	} {
		if n := strings.Count(result.Output, "  "+permission+"\n"); n != 1 {
			t.Errorf("%q is said %d times:\n%s", permission, n, result.Output)
		}
	}
	w.Expect(0, acctest.Apply)
	if result := w.Expect(acctest.NoChanges, acctest.Plan); strings.Contains(result.Output, "sidecars") {
		t.Errorf("an unchanged policy is compared:\n%s", result.Output)
	}
	w.Expect(0, acctest.Destroy)
	f.Delete("ClusterRoleBinding", "", "narrow-"+s.egress)
	f.Delete("ClusterRole", "", "narrow-"+s.egress)
}
