// Command demo plays package demo without calls, on any machine.
//
//	go run ./internal/acctest/cmd/demo
//	KEEP=1 go run ./internal/acctest/cmd/demo    leaves everything running before the destroy
//	ACCTEST_CLI=tofu ...                         with OpenTofu
//
// The command of the same name in test/traffic has calls too.
package main

import "github.com/meshegress/terraform-provider-istio/internal/acctest/demo"

func main() {
	demo.Main(demo.Options{Missing: "they need Linux, root and iptables, where `make demo` shows them"})
}
