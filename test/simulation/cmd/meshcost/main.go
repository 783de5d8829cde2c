// Command meshcost measures what istiod makes of 10, 100 and 1000 policies for a sidecar
// of a source namespace, a sidecar of another one and the gateway, beside the same
// egress by hand-written objects, and writes a table, a CSV file, a plot, and the
// figures of the guide. Counts and bytes are exact; the times are better taken on an
// idle machine.
//
//	go run ./cmd/meshcost -docs ../../templates/guides/mesh-cost.md.tmpl    in this module
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"istio.io/istio/pkg/log"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/figures"

	"github.com/meshegress/terraform-provider-istio/test/simulation/meshcost"
)

// turns is how often each time is taken.
const turns = 5

func main() {
	docs := flag.String("docs", "", "page that gets the figures; the CSV file and the plot go to -out")
	out := flag.String("out", filepath.Join("cmd", "meshcost"), "folder for cost.csv and cost.svg")
	flag.Parse()
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	if err := run(*docs, *out); err != nil {
		fmt.Fprintln(os.Stderr, "meshcost:", err)
		os.Exit(1)
	}
}

// spreads are all policies in one namespace, and ten in each.
var spreads = []meshcost.Spread{
	{Policies: 10, Namespaces: 1}, {Policies: 100, Namespaces: 1}, {Policies: 1000, Namespaces: 1},
	{Policies: 100, Namespaces: 10}, {Policies: 1000, Namespaces: 100},
}

func run(docs, out string) error {
	var all []measurement
	for _, s := range append([]meshcost.Spread{{}}, spreads...) {
		for _, l := range []meshcost.Layout{meshcost.Policies, meshcost.ByHand} {
			began := time.Now()
			r, err := meshcost.Measure(l, s, turns)
			if err != nil {
				return fmt.Errorf("%s, %d policies: %w", l.Name, s.Policies, err)
			}
			fmt.Fprintf(os.Stderr, "%s, %d policies in %d namespaces: %.1f s\n", l.Name, s.Policies, s.Namespaces, time.Since(began).Seconds())
			all = append(all, measurement{l, s, r})
		}
	}
	fmt.Print(tables(all))
	var plot bytes.Buffer
	if err := meshcost.Plot(&plot, "What istiod pushes to one proxy", lines(all)); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"cost.csv": []byte(csv(all)), "cost.svg": plot.Bytes()} {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
	}
	if docs == "" {
		return nil
	}
	return figures.Write(docs, "make mesh-cost", "\n"+tables(all))
}
