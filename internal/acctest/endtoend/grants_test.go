package endtoend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// audited is what outputs say of istio_egress_grants.
type audited struct {
	Grants []struct {
		Grant           string
		Intact          bool
		PolicyNamespace string `json:"policy_namespace"`
		PolicyName      string `json:"policy_name"`
		Way             string
		OwnerID         *string `json:"owner_id"`
	}
	Problems []auditProblem
}

type auditProblem struct {
	PolicyName  *string `json:"policy_name"`
	Object      string
	Problem     string
	HidesGrants bool `json:"hides_grants"`
}

func (a audited) lines(intact bool) []string {
	var lines []string
	for _, g := range a.Grants {
		if g.Intact == intact {
			lines = append(lines, g.Grant)
		}
	}
	return lines
}

// audit reads the data source with these attributes.
func audit(t *testing.T, f *acctest.Fixture, w *acctest.Workspace, attributes string, wanted ...string) audited {
	t.Helper()
	w.Write("main.tf", f.Config("data \"istio_egress_grants\" \"all\" {\n"+attributes+"\n}\noutput \"all\" { value = data.istio_egress_grants.all }\n"))
	w.Expect(0, acctest.Apply, wanted...)
	var all audited
	if err := json.Unmarshal([]byte(w.Expect(0, []string{"output", "-json", "all"}).Stdout), &all); err != nil {
		t.Fatal(err)
	}
	// What may hide grants is told whatever the namespaces of the grants: other
	// tests make their policies beside this one.
	all.Problems = slices.DeleteFunc(all.Problems, func(p auditProblem) bool {
		return !slices.Contains(f.Namespaces(), strings.Split(p.Object, "/")[1])
	})
	return all
}

// granted returns the `grants` of a workspace's state.
func granted(w *acctest.Workspace) []string {
	var lines []string
	for _, r := range w.Resources() {
		grants, _ := r.Attributes["grants"].([]any)
		for _, line := range grants {
			lines = append(lines, line.(string))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestGrantsOfSeveralWorkspaces applies policies from two workspaces, and reads
// in a third one who may reach what: as their own states say, and after hand
// edits with what these have done.
func TestGrantsOfSeveralWorkspacesLifecycle(t *testing.T) {
	f := acctest.New(t)
	egress, shop, other := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other")
	sources := fmt.Sprintf("namespaces = [%q, %q]", shop, other)
	team := f.Workspace(f.CLI, f.Config(grantedPolicy("payments", egress, shop, `
    to = [
      { name = "api", hosts = ["api.partner.example", "b.partner.example"], port = { name = "http", number = 80, protocol = "HTTP" }, https_upgrade = { enabled = true, port = 443 } },
      { name = "wild", hosts = ["*.wild.example"], resolve_to = "www.wild.example", port = { name = "tls", number = 443, protocol = "TLS" } },
    ]`)))
	platform := f.Workspace(f.CLI, f.Config(grantedPolicy("mail", egress, other, `
    to = [{ name = "smtp", hosts = ["203.0.113.9"], port = { name = "tcp", number = 25, protocol = "TCP" } }]`)+`
resource "istio_egress_traffic_policy" "direct" {
  name         = "updates"
  egress_rules = [{
    from = [{ namespace = "`+shop+`", workload_selector = {} }, { namespace = "`+other+`", workload_selector = {} }]
    to   = [{ name = "deb", hosts = ["deb.debian.example"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}
`, acctest.WithOwnerID("platform"), acctest.WithAttribute("revision", `"default"`)))
	team.Expect(0, acctest.Apply)
	platform.Expect(0, acctest.Apply)
	all := append(granted(team), granted(platform)...)
	slices.Sort(all)

	w := f.Workspace(f.CLI, f.Config(""))
	seen := audit(t, f, w, sources)
	if diff := cmp.Diff(all, seen.lines(true)); diff != "" || len(seen.Problems)+len(seen.lines(false)) > 0 {
		t.Fatalf("-states +data source:\n%s\n%+v", diff, seen)
	}
	for _, g := range seen.Grants {
		if isPlatforms := g.OwnerID != nil && *g.OwnerID == "platform"; isPlatforms != (g.PolicyName != "payments") {
			t.Errorf("%s has owner_id %v", g.Grant, g.OwnerID)
		}
	}
	testGrantFilters(t, f, w, sources, egress)
	costs := costOfGrants(t, f)

	f.Edit("VirtualService", shop, nameOf(f, "VirtualService", shop, "payments"), func(live *unstructured.Unstructured) {
		spec := live.Object["spec"].(map[string]any)
		spec["hosts"] = append(spec["hosts"].([]any), "evil.example")
	})
	f.Delete("DestinationRule", shop, nameOf(f, "DestinationRule", shop, "payments"))
	left := f.Get("DestinationRule", egress, nameOf(f, "DestinationRule", egress, "payments"))
	f.Apply(egress, copyOf(t, left, "left-over"))
	seen = audit(t, f, w, sources)
	if diff := cmp.Diff(granted(team), seen.lines(false)); diff != "" || len(seen.Problems) != 3 {
		t.Fatalf("after hand edits, -team's grants +not intact:\n%s\n%+v", diff, seen.Problems)
	}
	for i, want := range []string{"left over", "gone -> created again", "evil.example"} {
		if p := seen.Problems[i]; *p.PolicyName != "payments" || p.HidesGrants || !strings.Contains(p.Problem, want) {
			t.Errorf("problem %d: %+v, want %q", i, p, want)
		}
	}

	// Records: one damaged, one gone, one copied to where nobody is granted anything.
	f.Edit("Service", egress, "mail-egw", func(live *unstructured.Unstructured) {
		annotations := live.GetAnnotations()
		annotations[compile.AnnotationSpec] = `{"name": "mail", "egress_rules": "all"`
		live.SetAnnotations(annotations)
	})
	copied := f.Get("Service", egress, "payments-egw")
	f.Delete("Service", egress, "payments-egw")
	f.Apply(egress, copyOf(t, copied, "copy-egw"))
	seen = audit(t, f, w, sources, "There may be grants that are not in the list", "Service/"+egress+"/mail-egw")
	for _, g := range seen.Grants {
		if g.PolicyName != "updates" || g.Way != "direct" || !g.Intact {
			t.Errorf("granted by %s, way %s, intact %v: %s", g.PolicyName, g.Way, g.Intact, g.Grant)
		}
	}
	for object, want := range map[string]string{
		"Service/" + egress + "/mail-egw": "does not read", "Service/" + egress + "/copy-egw": "copied by hand",
	} {
		at := slices.IndexFunc(seen.Problems, func(p auditProblem) bool { return p.Object == object })
		if at < 0 || !seen.Problems[at].HidesGrants || !strings.Contains(seen.Problems[at].Problem, want) {
			t.Errorf("%s should hide grants and be told with %q: %+v", object, want, seen.Problems)
		}
	}

	// Applying puts all of it back.
	f.Delete("Service", egress, "copy-egw")
	f.Delete("DestinationRule", egress, "left-over")
	team.Expect(0, acctest.Apply)
	platform.Expect(0, acctest.Apply)
	if seen = audit(t, f, w, sources); len(seen.Problems) > 0 || !slices.Equal(all, seen.lines(true)) {
		t.Errorf("after repair: %+v", seen)
	}
	team.Expect(0, acctest.Destroy)
	platform.Expect(0, acctest.Destroy)
	if seen = audit(t, f, w, sources); len(seen.Grants) > 0 {
		t.Errorf("after destroy: %+v", seen)
	}
	if diff := cmp.Diff(costOfGrants(t, f), costs); diff != "" {
		t.Errorf("policies cost requests: -without +with:\n%s", diff)
	}
}

// costOfGrants returns how often the data source asks for what.
func costOfGrants(t *testing.T, f *acctest.Fixture) map[string]int {
	t.Helper()
	costs := f.Requests(func() {
		resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: f.ProviderFactories(), Steps: []resource.TestStep{
			{Config: f.Config("data \"istio_egress_grants\" \"all\" {}\n")},
		}})
	}).Where(func(r testbed.Request) bool { return r.Verb == "list" }).Count()
	if len(costs) != len(policy.Kinds()) {
		t.Errorf("LISTs of %d kinds: %v", len(policy.Kinds()), costs)
	}
	return costs
}

func testGrantFilters(t *testing.T, f *acctest.Fixture, w *acctest.Workspace, sources, egress string) {
	t.Helper()
	var hcl strings.Builder
	want := map[string]int{}
	for i, filter := range []struct {
		attributes string
		grants     int
	}{
		// As the reference of a gateway has more attributes than a name.
		{fmt.Sprintf("gateway = { name = \"gw\", namespace = %q, selector = { istio = \"gw\" } }", egress), 4},
		{"gateway = { name = \"gw\", namespace = \"elsewhere\" }", 0},
		{sources + "\nhost = \"a.b.wild.example\"", 1},
		{sources + "\nhost = \"*.partner.example\"", 2},
		{sources + "\nhost = \"DEB.debian.example\"", 2},
		{sources + "\nhost = \"partner.example\"", 0},
	} {
		name := fmt.Sprintf("filter-%d", i)
		fmt.Fprintf(&hcl, "data \"istio_egress_grants\" %[1]q {\n%[2]s\n}\noutput %[1]q { value = length(data.istio_egress_grants.%[1]s.grants) }\n", name, filter.attributes)
		want[name] = filter.grants
	}
	w.Write("main.tf", f.Config(hcl.String()))
	w.Expect(0, acctest.Apply)
	var outputs map[string]struct{ Value int }
	if err := json.Unmarshal([]byte(w.Expect(0, []string{"output", "-json"}).Stdout), &outputs); err != nil {
		t.Fatal(err)
	}
	for name, grants := range want {
		if outputs[name].Value != grants {
			t.Errorf("%s: %d grants, want %d", name, outputs[name].Value, grants)
		}
	}
}

// What may not be seen is an error that says what is missing, not an empty list.
func TestGrantsWithoutPermission(t *testing.T) {
	f := acctest.New(t)
	namespace := f.Namespace("nobody")
	accounts := f.Kube.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := accounts.CreateToken(t.Context(), "nobody", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	hcl := "data \"istio_egress_grants\" \"all\" {}\n"
	f.Workspace(f.CLI, f.Config(hcl, acctest.WithAttribute("token", fmt.Sprintf("%q", token.Status.Token)))).
		Expect(acctest.Failed, acctest.Plan, "Cannot list", "in all namespaces", "list")
	f.Workspace(f.CLI, providerWith(f, `host = "https://127.0.0.1:1"`, hcl)).
		Expect(acctest.Failed, acctest.Plan, "127.0.0.1:1", "connection refused")
	f.Workspace(f.CLI, providerWith(f, "", hcl)).
		Expect(acctest.Failed, acctest.Plan, "No cluster is configured")
}

// copyOf returns an object of a policy under another name, with all that says whose it is.
func copyOf(t *testing.T, live *unstructured.Unstructured, name string) string {
	t.Helper()
	spec, _ := live.Object["spec"].(map[string]any)
	for _, assigned := range []string{"clusterIP", "clusterIPs"} {
		delete(spec, assigned)
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": live.GetAPIVersion(), "kind": live.GetKind(), "spec": spec,
		"metadata": map[string]any{"name": name, "labels": live.GetLabels(), "annotations": live.GetAnnotations()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func grantedPolicy(name, egress, namespace, to string) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" %[1]q {
  name              = %[1]q
  by_egress_gateway = { name = "gw", namespace = %[2]q }
  egress_rules = [{
    from = [{ namespace = %[3]q, workload_selector = { app = %[1]q }, service_accounts = [%[1]q] }]
%[4]s
  }]
}
`, name, egress, namespace, to)
}

// nameOf returns the name of the first object of a policy of a kind in a namespace.
func nameOf(f *acctest.Fixture, kind, namespace, policy string) string {
	for _, object := range f.Managed() {
		if object.GetKind() == kind && object.GetNamespace() == namespace && object.GetLabels()[compile.LabelPolicy] == policy {
			return object.GetName()
		}
	}
	f.T().Fatalf("no %s of policy %s in %s", kind, policy, namespace)
	return ""
}
