package trafficpolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// Who misspells a gateway is told in the plan of the policy; who names one that the
// run makes, that Helm has installed, or that the policy has already, is not.
func TestAbsentGateway(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	rules := fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "web", hosts = ["a.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]`, s.shop)
	w := f.Workspace(f.CLI, f.Config(s.named("web", "web", rules)))
	const warning = "Gateway does not exist"
	plan := func(what string, warns bool) {
		t.Helper()
		out := w.Expect(acctest.HasChanges, acctest.Plan).Output
		if strings.Contains(out, warning) != warns {
			t.Errorf("%s: warned %v, want %v:\n%s", what, !warns, warns, out)
		}
	}
	f.Apply(s.egress, "{apiVersion: v1, kind: Service, metadata: {name: beside}, spec: {selector: {app: gw}, ports: [{port: 80}]}}")
	plan("only a Service of something else", true)
	w.Expect(acctest.HasChanges, acctest.Plan, warning, "In namespace "+s.egress, "the labels istio=gw", "gateway "+s.egress+"/gw")

	f.Apply(s.egress, "{apiVersion: v1, kind: Service, metadata: {name: gw}, spec: {selector: {app: gw, istio: gw}, ports: [{port: 80}]}}")
	plan("its Service is there", false)
	f.Delete("Service", s.egress, "gw")

	made := fmt.Sprintf("resource \"istio_egress_gateway\" \"gw\" {\n  name = \"gw\"\n  namespace = %q\n}\n", s.egress)
	literal := fmt.Sprintf("{ name = \"gw\", namespace = %q }", s.egress)
	w.Write("main.tf", f.Config(made+strings.Replace(s.named("web", "web", rules), literal, "istio_egress_gateway.gw.reference", 1)))
	plan("made by the same run", false)

	w.Write("main.tf", f.Config(s.named("web", "web", rules)))
	w.Expect(0, acctest.Apply, warning)
	w.Write("main.tf", f.Config(s.named("web", "web", strings.Replace(rules, "a.example.com", "b.example.com", 1))))
	plan("the gateway stays what it was", false)
	w.Expect(0, acctest.Destroy)
}
