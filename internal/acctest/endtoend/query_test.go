package endtoend_test

import (
	"fmt"
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
    from = [{ namespace = %[2]q }]
    to   = [{ name = "api", hosts = ["direct.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

resource "istio_egress_traffic_policy" "canary" {
  name              = "canary"
  by_egress_gateway = { name = "a", namespace = %[1]q }
  revision          = "canary"
  egress_rules = [{
    from = [{ namespace = %[2]q }]
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
	for _, cli := range []acctest.CLI{f.CLI, f.FindCLI("terraform-1.14")} {
		w := f.Workspace(cli, f.Config(""))
		w.Write("all.tfquery.hcl", lists)
		w.Expect(0, []string{"query", "-no-color", "-generate-config-out=generated.tf"})
		w.Expect(acctest.HasChanges, acctest.Plan, "8 to import, 0 to add, 0 to change, 0 to destroy.")
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
	}
	original.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}
