// Command testbed starts and ends the control plane of package testbed for people:
//
//	testbed up [-name n] [-istio=false] [-nodes 3]
//	                            start one in the background and say how to use it
//	testbed down [-name n]      end it
//	testbed build [tool...]     build or find executables only: kubernetes istio terraform tofu
//	testbed path tool           print where one is: terraform tofu istioctl kubectl
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("usage: testbed up|down|build|path")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	name := flags.String("name", "default", "several can be up, each under a name of its own")
	istio := flags.Bool("istio", true, "install the Istio CRDs and run istiod")
	nodes := flags.Int("nodes", 1, "how many nodes there are")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	switch os.Args[1] {
	case "up":
		return up(*name, os.Args[2:])
	case "serve": // what up runs in the background
		return testbed.Serve(context.Background(), *name, testbed.Options{Out: os.Stdout, Istio: istio, Nodes: *nodes})
	case "down":
		return testbed.Down(os.Stdout, *name)
	case "build":
		return build(flags.Args())
	case "path":
		return path(flags.Args())
	}
	return fmt.Errorf("unknown command %q; there are up, down, build and path", os.Args[1])
}

func up(name string, arguments []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	kubeconfig, err := testbed.Up(os.Stdout, name, self, append([]string{"serve"}, arguments...)...)
	if err != nil {
		return err
	}
	fmt.Printf(`
The control plane is up. Go on with:

  export KUBECONFIG=%s
  kubectl get nodes,pods -A

It ends with: go run ./internal/acctest/testbed/cmd/testbed down -name %s
`, kubeconfig, name)
	return nil
}

func build(names []string) error {
	if len(names) == 0 {
		names = []string{string(testbed.Kubernetes), string(testbed.Istio), string(testbed.TerraformCLI), string(testbed.OpenTofuCLI)}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, name := range names {
		paths, err := testbed.Ensure(ctx, os.Stdout, testbed.Tool(name))
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", name, paths[testbed.Tool(name)])
	}
	return nil
}

func path(names []string) error {
	find := map[string]func(context.Context) (string, error){
		"terraform": testbed.Terraform, "tofu": testbed.OpenTofu, "istioctl": testbed.Istioctl, "kubectl": testbed.Kubectl,
	}
	for _, name := range names {
		f, ok := find[name]
		if !ok {
			return fmt.Errorf("no path for %q; there are terraform, tofu, istioctl and kubectl", name)
		}
		p, err := f(context.Background())
		if err != nil {
			return err
		}
		fmt.Println(p)
	}
	return nil
}
