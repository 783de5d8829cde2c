package traffic_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// "Configure an egress gateway to route all outbound traffic", of 2022 and 2023, whose
// steps are the same: 301 directly, 502 once only declared hosts may be called, 301 to
// a declared host, 301 through the gateway with its line in the access log.
func TestASMRouting(t *testing.T) {
	c := castOf(t, lab.NewAlone(t))
	c.BindMeshRole()
	// The document's Service of the sleep application: with an HTTP port 80 in the mesh
	// there is a proxy that can answer 502.
	c.Apply(c.shop, `
apiVersion: v1
kind: Service
metadata: {name: sleep, labels: {app: sleep, service: sleep}}
spec:
  ports: [{port: 80, name: http}]
  selector: {app: sleep-a}
`)
	const registryOnly = `
resource "istio_outbound_traffic_policy" "mesh" {
  mode = "REGISTRY_ONLY"
}
`
	// A workspace of its own, so that it is undone when the test fails.
	mesh := c.Workspace(c.CLI, c.Config(registryOnly))
	call := lab.HTTP("aliyun.com")
	c.run("step 1, anything may be called", func(c *cast) {
		c.Expect(c.granted, call, lab.Through(301, c.granted))
	})
	c.run("step 2, declared hosts only", func(c *cast) {
		mesh.Expect(0, []string{"apply", "-no-color", "-auto-approve"})
		c.Expect(c.granted, call, undeclared)
		c.Expect(c.stranger, call, undeclared)
	})
	defer mesh.Expect(0, []string{"destroy", "-no-color", "-auto-approve"})
	c.run("step 3, declared without a gateway", func(c *cast) {
		c.update(fmt.Sprintf(`
resource "istio_egress_traffic_policy" "direct" {
  name         = "external-svc-http"
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "http", hosts = ["aliyun.com"], port = { name = "http", number = 80, protocol = "HTTP" } }]
  }]
}
`, c.shop))
		c.Expect(c.granted, call, lab.Through(301, c.granted))
		c.Expect(c.unselected, call, lab.Through(301, c.unselected))
		c.Expect(c.stranger, call, undeclared)
	})
	c.run("step 4, through the gateway", func(c *cast) {
		c.apply(c.gatewayHCL("") + c.policyHCL(c.sleepA(), `{
    name  = "aliyun"
    hosts = ["aliyun.com"]
    port  = { name = "http", number = 80, protocol = "HTTP" }
  }`))
		c.expectGranted(call, 301, false, "aliyun")
		c.refused(grant{call: call, entry: "aliyun", host: "aliyun.com", istio: "HTTP", number: 80})
		c.Expect(c.stranger, call, undeclared)
	})
}
