// Command istio is istiod (pilot-discovery) and istioctl in one executable: the
// first argument, or the name it is called by, picks one. Both share nearly all
// of their packages, so linking them once is what saves time.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	_ "k8s.io/client-go/plugin/pkg/client/auth"

	istioctl "istio.io/istio/istioctl/cmd"
	discovery "istio.io/istio/pilot/cmd/pilot-discovery/app"
	"istio.io/istio/pkg/log"
)

func main() {
	name := filepath.Base(os.Args[0])
	if name != "istioctl" && name != "pilot-discovery" && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = append([]string{name}, os.Args[2:]...)
	}
	switch name {
	case "pilot-discovery":
		log.EnableKlogWithCobra()
		if err := discovery.NewRootCommand().Execute(); err != nil {
			log.Error(err)
			os.Exit(-1)
		}
	case "istioctl":
		runIstioctl()
	default:
		fmt.Fprintf(os.Stderr, "usage: %s {istioctl|pilot-discovery} [flags]\n", filepath.Base(os.Args[0]))
		os.Exit(2)
	}
}

func runIstioctl() {
	if err := istioctl.ConfigAndEnvProcessing(); err != nil {
		fmt.Fprintf(os.Stderr, "Could not initialize: %v\n", err)
		os.Exit(istioctl.GetExitCode(err))
	}
	root := istioctl.GetRootCmd(os.Args[1:])
	log.EnableKlogWithCobra()
	if err := root.Execute(); err != nil {
		os.Exit(istioctl.GetExitCode(err))
	}
}
