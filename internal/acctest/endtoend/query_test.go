package endtoend_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// beside is what a query finds beside everything: a direct policy, one with an
// assigned port, modes of the provider's own Sidecars and of somebody else's.
func beside(egress, shop, other string) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" "direct" {
  name = "direct"
  egress_rules = [{
    from = [{ namespace = %[2]q, workload_selector = {} }]
    to   = [{ name = "api", hosts = ["direct.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

resource "istio_egress_traffic_policy" "canary" {
  name              = "canary"
  by_egress_gateway = { name = "a", namespace = %[1]q }
  revision          = "canary"
  egress_rules = [{
    from = [{ namespace = %[2]q, workload_selector = {} }]
    to   = [{ name = "api", hosts = ["assigned.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

resource "istio_outbound_traffic_policy" "namespace" {
  mode      = "REGISTRY_ONLY"
  namespace = %[2]q
}

resource "istio_outbound_traffic_policy" "workload" {
  mode              = "ALLOW_ANY"
  namespace         = %[2]q
  name              = "trusted"
  workload_selector = { app = "trusted", "example.com/team" = "a" }
}

resource "istio_outbound_traffic_policy" "canary" {
  mode      = "ALLOW_ANY"
  namespace = %[3]q
  revision  = "canary"
}
`, egress, shop, other)
}

// strangers is a Sidecar that somebody else has made.
const strangers = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: team}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["./*"]}]}
`

// TestQuery writes the configuration of all that is there, and imports it into an
// empty state: there is nothing to change.
func TestQuery(t *testing.T) {
	f := acctest.New(t)
	if !f.CLI.Queries() {
		t.Skipf("%s has no list resources", f.CLI)
	}
	egress, shop, other, foreign := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other"), f.SourceNamespace("foreign")
	f.Apply(foreign, strangers)
	original := f.Workspace(f.CLI, f.Config(everything(egress, shop, other)+beside(egress, shop, other)))
	original.Expect(0, acctest.Apply)
	original.Expect(acctest.NoChanges, acctest.Plan)

	lists := ""
	for _, namespace := range []string{egress, shop, other, foreign} {
		for _, kind := range []string{"istio_egress_gateway", "istio_egress_traffic_policy", "istio_outbound_traffic_policy"} {
			lists += fmt.Sprintf("list %q %q {\n  provider = istio\n  config {\n    namespace = %q\n  }\n}\n", kind, namespace, namespace)
		}
	}
	var w *acctest.Workspace
	for _, cli := range []acctest.CLI{f.CLI, f.FindCLI("terraform-1.14")} {
		w = f.Workspace(cli, f.Config(""))
		w.Write("all.tfquery.hcl", lists)
		w.Expect(0, []string{"query", "-no-color", "-generate-config-out=generated.tf"})
		w.Expect(acctest.HasChanges, acctest.Plan, "8 to import, 0 to add, 0 to change, 0 to destroy.")
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
	}
	// What was imported is owned: it can be destroyed, the policies before their gateway.
	targets := []string{"-target=istio_egress_traffic_policy." + egress + "_0", "-target=istio_egress_traffic_policy." + egress + "_1"}
	w.Expect(0, slices.Concat(acctest.Destroy, targets))
	w.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}

// testQueryExample asks for the list blocks that are published for a resource,
// while its example is in the cluster: each of them finds it. It runs beside
// other tests, whose instances it may find too.
func testQueryExample(t *testing.T, f *acctest.Fixture, applied *acctest.Workspace, resource string, covered map[string]bool) {
	example := "list-resources/" + resource + "/list-resource.tfquery.hcl"
	covered[example] = true
	t.Run("list-resource.tfquery.hcl", func(t *testing.T) {
		if !f.CLI.Queries() {
			t.Skipf("%s has no list resources", f.CLI)
		}
		text := read(t, example)
		applied.Write("list-resource.tfquery.hcl", text)
		var found []string
		for _, block := range regexp.MustCompile(`(?m)^list "(\w+)" "(\w+)"`).FindAllStringSubmatch(text, -1) {
			found = append(found, "list."+block[1]+"."+block[2])
		}
		result := applied.Expect(0, []string{"query", "-no-color"}, found...)
		if strings.Contains(acctest.Unwrap(result.Output), "returned 0 results") {
			t.Errorf("a list block finds nothing:\n%s", result.Output)
		}
	})
}
