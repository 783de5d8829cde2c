package lab

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

// Main runs the tests of a package inside the lab's namespaces. Call it from
// TestMain, first thing: pods are processes of the same executable.
func Main(m *testing.M) {
	mesh.Play()
	if fabric.Missing() != "" || os.Getenv("TF_ACC") == "" {
		acctest.Main(m) // every test says why it is skipped
	}
	if err := mesh.Enter(context.Background(), acctest.Root(), testbed.TerraformCLI); err != nil {
		fmt.Fprintln(os.Stderr, "traffic lab:", err)
		os.Exit(1)
	}
	acctest.MainOn(m, mesh.ControlPlane())
}
