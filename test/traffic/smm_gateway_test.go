package traffic_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// "Create egress gateway" of Service Mesh Manager: a gateway with port 80 to 8080, and
// the document's own Gateway and VirtualService on it.
func TestSMMGateway(t *testing.T) {
	c := newCast(t)
	c.update(fmt.Sprintf(`
resource "istio_egress_gateway" "a" {
  name          = "egress-demo"
  namespace     = %q
  replicas      = 1
  mutual_tls    = false
  authorization = "none"
  ports         = [{ name = "http", port = 80, target_port = 8080, protocol = "TCP" }]
  pod           = { labels = { gateway-name = "egress-demo", gateway-type = "egress" } }
}
`, c.egress))
	c.gateway = c.Pods(c.egress, lab.Labels{"gateway-name": "egress-demo"}, 1)[0]
	c.Apply(c.egress, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress-demo}
spec:
  selector: {gateway-name: egress-demo, gateway-type: egress}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: httpbin-egress}
spec:
  hosts: [httpbin.org]
  exportTo: [".", %[2]q]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: httpbin-egress}
spec:
  hosts: [httpbin.org]
  exportTo: [".", %[2]q]
  gateways: [egress-demo, mesh]
  http:
  - match: [{gateways: [mesh], port: 80}]
    route: [{destination: {host: egress-demo.%[1]s.svc.cluster.local, port: {number: 80}}}]
  - match: [{gateways: [egress-demo], port: 80}]
    route: [{destination: {host: httpbin.org, port: {number: 80}}}]
`, c.egress, c.shop))
	c.Expect(c.granted, lab.HTTP("httpbin.org"), lab.Through(301, c.gateway))
	// As the document warns, such a gateway routes and does not restrict.
	c.Expect(c.unselected, lab.HTTP("httpbin.org"), lab.Through(301, c.gateway))
	c.Expect(c.stranger, lab.HTTP("httpbin.org"), lab.Through(301, c.stranger))
}
