// Command pictures draws what README.md and the docs show of the ten policies of
// examples/ten-policies:
//
//	go run ./internal/acctest/cmd/pictures plan   what their plan prints, and that of a change of one of them
//	go run ./internal/acctest/cmd/pictures graph  who reaches what; needs Graphviz (apt-get install graphviz)
//
// The plans are real ones, on a control plane of their own; the graph is made of a
// plan without one. Pictures are written beside the example, and beside that of the
// function egress_graph.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	root, err := demo.Checkout()
	if err != nil {
		return err
	}
	drawers := map[string]func(context.Context, *studio) error{"plan": drawPlans, "graph": drawGraph}
	for _, name := range names {
		draw, ok := drawers[name]
		if !ok {
			return fmt.Errorf("there is no picture %q, only plan and graph", name)
		}
		if err := inStudio(ctx, root, draw); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("which picture: plan, graph, or both?")
	}
	return nil
}

// Files of the checkout.
var (
	example     = filepath.Join("examples", "ten-policies")
	planFile    = filepath.Join(example, "plan.svg")
	changeFile  = filepath.Join(example, "change.svg")
	graphFile   = filepath.Join("examples", "functions", "egress_graph", "graph.svg")
	mermaidFile = filepath.Join("examples", "functions", "egress_graph", "graph.mmd")
)
