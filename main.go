// Command terraform-provider-istio is the Terraform provider for egress
// control in an Istio mesh.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/meshegress/terraform-provider-istio/internal/provider"
)

// version is set by the release (.goreleaser.yml).
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger: print TF_REATTACH_PROVIDERS and serve until interrupted")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/meshegress/istio",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
