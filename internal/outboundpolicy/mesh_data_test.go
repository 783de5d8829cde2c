package outboundpolicy_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestMeshDataSource reads a control plane with a shared mesh config: what the
// primary leaves out the shared one says, as far as it may be read.
func TestMeshDataSource(t *testing.T) {
	f := acctest.New(t)
	text := "rootNamespace: roots\ntrustDomain: td.example\ndefaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true'}}\n"
	shared := "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\ntrustDomain: other.example\n"
	revision, bare := f.Suffix+"-two", f.Suffix+"-bare"
	revisions(f, map[string]*string{"two": &text, "shared": &shared, "bare": new(string)})
	istiod(f, revision, "istio-"+f.Suffix+"-shared")
	istiod(f, bare, f.Suffix+"-secret")

	address := "data.istio_mesh.test"
	value := func(name string, check knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(address, tfjsonpath.New(name), check)
	}
	of := func(revision string) string {
		return f.Config(fmt.Sprintf("data \"istio_mesh\" \"test\" { revision = %q }\n", revision))
	}
	steps := []resource.TestStep{
		{
			Config: of(revision),
			ConfigStateChecks: []statecheck.StateCheck{
				value("version", knownvalue.StringExact("1.31.1")),
				value("revisions", knownvalue.MapPartial(map[string]knownvalue.Check{
					revision: knownvalue.StringExact("1.31.1"), bare: knownvalue.StringExact("1.31.1"),
				})),
				value("root_namespace", knownvalue.StringExact("roots")),
				value("trust_domain", knownvalue.StringExact("td.example")),
				value("dns_capture", knownvalue.Bool(true)),
				value("outbound_mode", knownvalue.StringExact("REGISTRY_ONLY")),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("outbound").AtSliceIndex(0), knownvalue.ObjectPartial(map[string]knownvalue.Check{
					"scope": knownvalue.StringExact("mesh"), "level": knownvalue.StringExact("mesh"),
					"object": knownvalue.StringExact("ConfigMap/" + root + "/istio-" + f.Suffix + "-shared"),
				})),
			},
		},
		{
			// The shared one may not be read: that is said, and nothing guessed.
			Config:            of(bare),
			ConfigStateChecks: []statecheck.StateCheck{value("outbound_mode", knownvalue.Null()), value("dns_capture", knownvalue.Bool(false))},
		},
		{Config: of(f.Suffix + "-none"), ExpectError: words("No mesh config")},
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps})
}

// istiod makes the Deployment of a control plane, without a pod: who runs here
// is a process.
func istiod(f *acctest.Fixture, revision, shared string) {
	name := "istiod-" + revision
	f.Apply(root, fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, labels: {app: istiod, istio.io/rev: %[2]s, app.kubernetes.io/version: 1.31.1}}
spec:
  replicas: 0
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec: {containers: [{name: discovery, image: "pilot:1.31.1", env: [{name: SHARED_MESH_CONFIG, value: %[3]s}]}]}
`, name, revision, shared))
}
