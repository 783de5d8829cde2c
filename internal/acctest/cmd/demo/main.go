// Command demo plays package demo without calls, on any machine.
//
//	go run ./internal/acctest/cmd/demo
//	KEEP=1 go run ./internal/acctest/cmd/demo    leaves everything running before the destroy
//	ACCTEST_CLI=tofu ...                         with OpenTofu
//	... -archive x.zip                           with the provider out of a release's archive
//
// The command of the same name in test/traffic has calls too.
package main

import (
	"flag"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
)

func main() {
	archive := flag.String("archive", "", "a release's archive to install the provider from")
	flag.Parse()
	demo.Main(demo.Options{
		Archive: *archive,
		Missing: "they need Linux, root and iptables, where `make demo` shows them",
	})
}
