// Command terraform-provider-istio is the Terraform provider for egress
// control in an Istio mesh.
package main

import (
	"flag"
	"log"

	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
)

// version is set by the release (.goreleaser.yml).
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger: print TF_REATTACH_PROVIDERS and serve until interrupted")
	flag.Parse()
	tune()

	if err := protocol.Serve("registry.terraform.io/meshegress/istio", provider.New(version)(), *debug); err != nil {
		log.Fatal(err)
	}
}
