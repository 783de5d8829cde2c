package endtoend_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// policies returns count policies <name>-<i> of one HTTPS host and one source
// each, on a gateway that nobody has to have made: a policy needs its name only.
func policies(name, gatewayNamespace, sourceNamespace string, count int) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" %[1]q {
  count             = %[4]d
  name              = "%[1]s-${count.index}"
  by_egress_gateway = { name = "egw", namespace = %[2]q }
  egress_rules = [{
    from = [{ namespace = %[3]q, workload_selector = { app = "sleep" }, service_accounts = ["sleep"] }]
    to = [{
      name  = "api"
      hosts = ["%[1]s-${count.index}.example.com"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}
`, name, gatewayNamespace, sourceNamespace, count)
}

// with adds an argument to the one resource in a configuration.
func with(hcl, argument string) string {
	return strings.Replace(hcl, "  egress_rules", "  "+argument+"\n  egress_rules", 1)
}
