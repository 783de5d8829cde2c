package endtoend_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestMisspelledNames: what Terraform drops without a word is no permission.
func TestMisspelledNames(t *testing.T) {
	f := acctest.New(t)
	config := func(gateway, source string) string {
		return offline + fmt.Sprintf(`
resource "terraform_data" "labels" {}

resource "istio_egress_gateway" "a" {
  name = "a"
}

resource "istio_egress_traffic_policy" "p" {
  name              = "p"
  by_egress_gateway = %s
  egress_rules = [{
    from = [%s]
    to   = [{ name = "web", hosts = ["www.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]
}

output "same_gateway" { value = istio_egress_traffic_policy.p.by_egress_gateway == istio_egress_gateway.a.reference }
`, gateway, source)
	}
	validate := []string{"validate", "-no-color"}
	const reference = "istio_egress_gateway.a.reference"
	for name, source := range map[string]string{
		"selector":      `{ namespace = "shop", selector = { app = "a" } }`,
		"account":       `{ namespace = "shop", service_account = ["a"] }`,
		"null":          `{ namespace = "shop", workload_selector = null }`,
		"beside others": `{ namespace = "shop", workload_selector = {} }, { namespace = "bank", labels = { app = "a" } }`,
	} {
		t.Run(name, func(t *testing.T) {
			w := f.Workspace(f.CLI, config(reference, source))
			w.Expect(acctest.Failed, validate, "Source without workloads", "workload_selector = {}", "#a-misspelled-name")
			w.Expect(acctest.Failed, acctest.Plan, "Source without workloads")
		})
	}
	for name, gateway := range map[string]string{"reference": reference, "whole gateway": "istio_egress_gateway.a"} {
		t.Run(name, func(t *testing.T) {
			w := f.Workspace(f.CLI, config(gateway, `{ namespace = "shop", workload_selector = {} }`))
			w.Expect(0, validate, "Success!")
			w.Expect(acctest.HasChanges, acctest.Plan, "+ same_gateway = true", "shop/* (")
		})
	}
	// It may be there by the time of the apply.
	w := f.Workspace(f.CLI, config(reference, `{ namespace = "shop", workload_selector = jsondecode(terraform_data.labels.id) }`))
	w.Expect(0, validate, "Success!")
	w.Expect(acctest.HasChanges, acctest.Plan)
}
