// Command gateway measures what N grants cost a real gateway, a sidecar of a source
// namespace and a sidecar of another one: memory, listeners, and the time from the end
// of `terraform apply` until the gateway answers on the last of N ports. Each count adds
// to the one before, as a workspace grows.
//
//	go run ./cmd/gateway    in this module; as root, takes some minutes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/figures"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

// getArgument makes a process of this executable fetch a page.
const getArgument = "get"

func main() {
	mesh.Play()
	counts := flag.String("policies", "10 100 1000", "how many policies, in ascending order")
	namespaces := flag.Int("namespaces", 1, "how many source namespaces they are spread over")
	docs := flag.String("docs", "", "page that gets the figures")
	flag.Parse()
	var err error
	switch {
	case flag.Arg(0) == getArgument:
		err = get(flag.Arg(1), os.Stdout)
	case fabric.Missing() != "":
		err = errors.New(fabric.Missing())
	default:
		err = run(context.Background(), strings.Fields(*counts), *namespaces, *docs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, counts []string, namespaces int, docs string) (err error) {
	root, err := demo.Checkout()
	if err != nil {
		return err
	}
	if err := mesh.Enter(ctx, root, testbed.TerraformCLI); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := newLab(ctx, root, namespaces)
	defer func() { err = errors.Join(err, l.Close()) }()
	if err != nil {
		return err
	}
	var all []measurement
	for _, text := range append([]string{"0"}, counts...) {
		policies, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		m, err := l.measure(ctx, policies)
		if err != nil {
			return fmt.Errorf("%d policies: %w", policies, err)
		}
		fmt.Fprintf(os.Stderr, "%+v\n", m)
		all = append(all, m)
	}
	measured, err := table(ctx, all)
	if err != nil {
		return err
	}
	fmt.Print(measured)
	if docs == "" {
		return nil
	}
	return figures.Write(docs, "make bench-gateway", "\n"+measured)
}
