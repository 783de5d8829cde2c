// Command demo plays package internal/acctest/demo with calls through real sidecars
// and a real gateway, and where this machine lacks something for that, without them:
// it says so, before and after.
//
//	go run ./cmd/demo    in this module; KEEP=1 and ACCTEST_CLI=tofu as there
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

func main() {
	mesh.Play()
	if missing := fabric.Missing(); missing != "" {
		demo.Main(demo.Options{Missing: missing})
	}
	if err := enter(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	demo.Main(demo.Options{ControlPlane: mesh.ControlPlane(), Traffic: &traffic{}, Enter: mesh.Way()})
}

func enter(ctx context.Context) error {
	root, err := demo.Checkout()
	if err != nil {
		return err
	}
	cli := testbed.TerraformCLI
	if os.Getenv("ACCTEST_CLI") == "tofu" {
		cli = testbed.OpenTofuCLI
	}
	return mesh.Enter(ctx, root, cli)
}
