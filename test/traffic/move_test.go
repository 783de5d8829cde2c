package traffic_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// The move of the guide "Coming from hand-written Istio YAML", step by step with its own files: a
// workload that calls through the hand-written layout all the time does not notice that
// it goes through a policy in the end. Not one call is lost, as the policy is there, for
// nobody, before calls are led to it: a sidecar that gets a route together with the
// cluster that it leads to may use the one before the other (Envoy's flag NC).
func TestMoveFromYAML(t *testing.T) {
	c := newCast(t)
	old, between := c.Namespace("old"), c.Namespace("egress-move")
	// The namespaces of the guide are those of the test.
	text := func(file string) string {
		content, err := os.ReadFile(filepath.Join(acctest.Root(), "examples/guides/from-istio-yaml", file))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("mytest", c.shop, "egress-move", between, "istio-system", old, `"istio-egress"`, `"`+c.egress+`"`).Replace(string(content))
	}
	call := lab.HTTPS("httpbin.org")

	c.Apply(old, oldGateway)
	before := c.Pods(old, lab.Labels{"app": "istio-egressgateway"}, 1)[0]
	c.Apply(c.shop, text("1-by-hand.yaml"))
	c.Expect(c.granted, call, lab.Through(200, before).OverTLS())
	stream := c.Stream(c.granted, call, lab.Answered(200).OverTLS())

	c.run("steps 1 and 2, the plan names what is in the way", func(c *cast) {
		c.workspace.Write("main.tf", c.Config(text("main.tf")))
		c.workspace.Expect(acctest.Failed, acctest.Plan,
			"Host is described by another ServiceEntry too", "Calls are routed by another VirtualService too")
	})
	c.run("step 3, step back", func(c *cast) {
		c.Apply(between, text("2-step-back.yaml"))
		c.Delete("ServiceEntry", c.shop, "httpbin")
		stream.Grow(25)
		c.Expect(c.granted, call, lab.Through(200, before).OverTLS())
	})
	c.run("step 4, apply for nobody", func(c *cast) {
		everybody := fmt.Sprintf(`{ namespace = %q, workload_selector = {} }`, c.shop)
		nobody := fmt.Sprintf(`{ namespace = %q, workload_selector = { app = "nobody-yet" } }`, c.shop)
		if !strings.Contains(text("main.tf"), everybody) {
			c.t.Fatalf("the policy of the guide has no %s", everybody)
		}
		c.workspace.Write("main.tf", c.Config(strings.Replace(text("main.tf"), everybody, nobody, 1)))
		c.workspace.Expect(0, acctest.Apply)
		c.workspace.Expect(acctest.NoChanges, acctest.Plan)
		c.Pods(c.egress, nil, 1)
		stream.Grow(25)
		c.Expect(c.granted, call, lab.Through(200, before).OverTLS())
	})
	c.run("step 4, and for those it is for", func(c *cast) {
		c.update(text("main.tf"))
		c.Settle(c.granted, call, lab.Through(200, c.Pods(c.egress, nil, 1)...).OverTLS())
		stream.Grow(25)
	})
	c.run("step 6, delete the old way", func(c *cast) {
		c.Delete("VirtualService", between, "httpbin")
		c.Delete("ServiceEntry", between, "httpbin")
		c.Delete("Gateway", c.shop, "istio-egressgateway")
		c.Delete("VirtualService", c.shop, "httpbin")
		c.Delete("Deployment", old, "istio-egressgateway")
		c.Pods(old, nil, 0)
		stream.Grow(25)
		c.registryOnly(c.elsewhere)
		c.Expect(c.stranger, call, closed)
	})
	stream.End()
}

// oldGateway is what Istio's chart installs, as far as the guide's objects use it.
const oldGateway = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-egressgateway}
spec:
  selector: {matchLabels: {app: istio-egressgateway}}
  template:
    metadata:
      labels: {app: istio-egressgateway, istio: egressgateway, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: v1
kind: Service
metadata: {name: istio-egressgateway}
spec:
  selector: {app: istio-egressgateway, istio: egressgateway}
  ports: [{name: https, port: 443, targetPort: 8443}]
`
