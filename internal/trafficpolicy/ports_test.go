package trafficpolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// A gateway on which others have all ports but two: who takes one of them is told how
// many are left, who finds none is told so before anything is written, and both what
// to do. An explicit port outside of the range goes on.
func TestPortsRunOut(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	f.Apply(s.egress, others(10_007, 10_008))

	with := func(label, port string, hosts ...string) string {
		// Gateways select pods of all namespaces: no other test refers to pods that could have both labels.
		return strings.Replace(s.named(label, label, fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "web", hosts = ["%s"], port = { name = "https", number = 443, protocol = "HTTPS" }%s }]
  }]`, s.shop, strings.Join(hosts, `", "`), port)), `"gw"`, `"crowded", selector = { istio = "crowded", gateway-name = "crowded" }`, 1)
	}
	out := []string{"one explicit by_egress_gateway.port", "a second istio_egress_gateway", "explicit ports outside this range"}

	first := with("first", "", "a.example.com")
	w := f.Workspace(f.CLI, f.Config(first))
	w.Expect(0, acctest.Apply, append(out, "The gateway's ports run out", "gateway "+s.egress+"/crowded has 1 left")...)
	w.Expect(acctest.NoChanges, acctest.Plan)

	w.Write("main.tf", f.Config(first+with("second", "", "b.example.com", "c.example.com")))
	w.Expect(acctest.Failed, acctest.Apply, append(out, "No free port on the gateway", "Gateway/"+s.egress+"/others-0 alone has 2000 of them")...)
	w.Write("main.tf", f.Config(first+with("second", `, by_egress_gateway = { port = 2443 }`, "b.example.com", "c.example.com")))
	w.Expect(0, acctest.Apply)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// others are Gateways of somebody else with all assignable ports but some.
func others(but ...int64) string {
	taken := map[int64]bool{}
	for _, port := range but {
		taken[port] = true
	}
	var servers, all []string
	flush := func() {
		all = append(all, fmt.Sprintf("{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: others-%d}, "+
			"spec: {selector: {istio: crowded, gateway-name: crowded}, servers: [%s]}}", len(all), strings.Join(servers, ", ")))
		servers = nil
	}
	for port := ports.First; port <= ports.Last; port++ {
		if !ports.Assignable(port) || taken[port] {
			continue
		}
		servers = append(servers, fmt.Sprintf("{port: {number: %[1]d, name: http-%[1]d, protocol: HTTP}, hosts: [others.example]}", port))
		if len(servers) == 2000 {
			flush()
		}
	}
	flush()
	return strings.Join(all, "\n---\n")
}
