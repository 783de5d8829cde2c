package traffic_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
	"github.com/meshegress/terraform-provider-istio/test/traffic/outside"
)

// cast is who appears in the tests of policies.
type cast struct {
	*lab.Lab
	t *testing.T
	// Namespaces: the gateway's, that of the policy's sources, one that no policy
	// names, and one of somebody who may write Istio objects in it.
	egress, shop, elsewhere, insiders string
	// granted has the labels and the account that policies name, unselected other
	// labels, impostor the labels and another account; stranger has labels and account
	// in another namespace, insider too.
	granted, unselected, impostor, stranger, insider lab.Pod
	// gateway is the pod of the gateway, after apply.
	gateway   lab.Pod
	workspace *acctest.Workspace
}

func newCast(t *testing.T) *cast {
	t.Helper()
	return castOf(t, lab.New(t))
}

func castOf(t *testing.T, l *lab.Lab) *cast {
	t.Helper()
	c := &cast{Lab: l, t: t}
	c.egress, c.shop = l.GatewayNamespace("egress"), l.SourceNamespace("shop")
	c.elsewhere, c.insiders = l.Namespace("elsewhere"), l.Namespace("insiders")
	sleepA := lab.Labels{"app": "sleep-a"}
	pods := l.Run(
		lab.Workload{Namespace: c.shop, Name: "sleep-a", Account: "sleep-a", Labels: sleepA},
		lab.Workload{Namespace: c.shop, Name: "sleep-b", Account: "sleep-b", Labels: lab.Labels{"app": "sleep-b"}},
		lab.Workload{Namespace: c.shop, Name: "impostor", Account: "impostor", Labels: sleepA},
		lab.Workload{Namespace: c.elsewhere, Name: "sleep-a", Account: "sleep-a", Labels: sleepA},
		lab.Workload{Namespace: c.insiders, Name: "insider", Account: "sleep-a", Labels: sleepA},
	)
	c.granted, c.unselected, c.impostor, c.stranger, c.insider = pods[0], pods[1], pods[2], pods[3], pods[4]
	c.workspace = l.Workspace(l.CLI, l.Config(""))
	for _, namespace := range []string{c.shop, c.elsewhere, c.insiders} {
		c.logCalls(namespace)
	}
	return c
}

// run runs a subtest with the same cast.
func (c *cast) run(name string, test func(c *cast)) {
	c.t.Helper()
	c.t.Run(name, func(t *testing.T) {
		sub := *c
		sub.t, sub.Lab = t, c.For(t)
		test(&sub)
	})
}

// Names in the products' documents.
const (
	gatewayName = "egressgateway-a"
	policyName  = "egress-by-egressgateway-a"
)

// gatewayHCL is the gateway of the products' documents.
func (c *cast) gatewayHCL(attributes string) string {
	return fmt.Sprintf(`
resource "istio_egress_gateway" "a" {
  name      = %q
  namespace = %q
  %s
}
`, gatewayName, c.egress, attributes)
}

// policyHCL is a policy named after the products' documents with one rule; from and
// to are the elements of the lists.
func (c *cast) policyHCL(from, to string) string {
	return c.policyOn("istio_egress_gateway.a.reference", from, to)
}

// policyOn is policyHCL with another reference to the gateway.
func (c *cast) policyOn(reference, from, to string) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" "a" {
  name              = %q
  by_egress_gateway = %s
  egress_rules      = [{ from = [%s], to = [%s] }]
}
`, policyName, reference, from, to)
}

// shopSleepA is the source of the documents' examples as it stands there, any service
// account of the namespace.
func (c *cast) shopSleepA() string {
	return fmt.Sprintf(`{ namespace = %q, workload_selector = { app = "sleep-a" } }`, c.shop)
}

// sleepA is the source of the documents' examples, held to its service account.
func (c *cast) sleepA() string {
	return fmt.Sprintf(`{ namespace = %q, workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a"] }`, c.shop)
}

// apply applies a configuration, which must leave nothing to plan, and looks for the
// gateway's pod.
func (c *cast) apply(hcl string) {
	c.t.Helper()
	c.update(hcl)
	c.gateway = c.gateways(1)[0]
}

// gateways waits until the gateway has that many pods.
func (c *cast) gateways(count int) []lab.Pod {
	c.t.Helper()
	return c.Pods(c.egress, lab.Labels{"istio": gatewayName}, count)
}

// update applies a configuration, which must leave nothing to plan.
func (c *cast) update(hcl string) {
	c.t.Helper()
	c.workspace.Write("main.tf", c.Config(hcl))
	c.workspace.Expect(0, acctest.Apply)
	c.workspace.Expect(acctest.NoChanges, acctest.Plan)
}

// registryOnly lets the workloads of namespaces call declared hosts only.
func (c *cast) registryOnly(namespaces ...string) {
	c.t.Helper()
	for _, namespace := range namespaces {
		c.Apply(namespace, `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
`)
	}
}

// grantSNI returns the name under which the sidecars of the sources call the
// gateway for an entry and a host.
func (c *cast) grantSNI(contains string) string {
	c.t.Helper()
	list, err := c.Istio.NetworkingV1().DestinationRules(c.shop).List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, rule := range list.Items {
		policies := rule.Spec.GetTrafficPolicy().GetPortLevelSettings()
		for _, subset := range rule.Spec.GetSubsets() {
			policies = append(policies, subset.GetTrafficPolicy().GetPortLevelSettings()...)
		}
		for _, policy := range policies {
			if sni := policy.GetTls().GetSni(); strings.Contains(sni, contains) {
				return sni
			}
		}
	}
	c.t.Fatalf("no DestinationRule in %s has an SNI with %q", c.shop, contains)
	return ""
}

// gatewayPort returns the port of an entry, or of one of its hosts, on the gateway's
// pods.
func (c *cast) gatewayPort(entry, host string) int {
	c.t.Helper()
	ports, _ := c.workspace.Resources()["istio_egress_traffic_policy.a"].Attributes["gateway_ports"].(map[string]any)
	for _, key := range []string{entry, entry + "/" + host} {
		if port, ok := ports[key].(float64); ok {
			return int(port)
		}
	}
	c.t.Fatalf("no port of %s, %s in %v", entry, host, ports)
	return 0
}

// stealWeb is steal of the entry web, for HTTP calls to httpbin.org.
func (c *cast) stealWeb() {
	c.t.Helper()
	c.steal("httpbin.org", "HTTP", 80, c.gatewayPort("web", ""), c.grantSNI("web"))
}

// steal lets the insider call the gateway under the name of somebody else's grant:
// he declares the host in his own namespace, at the gateway's address. What he has stolen
// before he gives up.
func (c *cast) steal(host, protocol string, number, gatewayPort int, sni string) {
	c.t.Helper()
	name, addresses := host, ""
	if protocol == "TCP" {
		// It is told from others by its address; a name is only a name.
		name, addresses = "stolen.example", outside.Address(host)
	}
	c.Apply(c.insiders, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stolen}
spec:
  hosts: [%[1]q]
  addresses: [%[7]s]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{name: stolen, number: %[3]d, protocol: %[2]s}]
  endpoints: [{address: %[4]s, ports: {stolen: %[5]d}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stolen}
spec:
  host: %[1]q
  exportTo: ["."]
  trafficPolicy:
    portLevelSettings: [{port: {number: %[3]d}, tls: {mode: ISTIO_MUTUAL, sni: %[6]q}}]
`, name, protocol, number, c.gateway.IP, gatewayPort, sni, addresses))
}
