// Command ratios measures what the way through an egress gateway costs: calls of one
// workload to hosts of one server, through its sidecar alone (a policy without a
// gateway), through the gateway by hand-written objects (classic.yaml), and through the
// same gateway by a policy. All in one run and in turns, so that what else the machine
// does hits all of them. The figures that matter are the ratios; nothing is judged.
//
//	go run ./cmd/ratios    in this module; as root, takes two minutes
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

const (
	// rounds is how often each way has its turn.
	rounds = 5
	// span is how long calls are made in a turn, by one caller and then by several.
	span = time.Second
	// together is how many callers are several.
	together = 8
)

// way is one of what is compared, and what was measured of it.
type way struct {
	protocol, name, host string
	// status that the server answers with.
	status int
	// gateway: it leads through the gateway.
	gateway bool

	latencies []time.Duration // of calls one after the other
	calls     int             // of several callers,
	took      time.Duration   // in this time
}

// ways by protocol, the direct one first. The hosts are those of package outside.
var ways = [][]*way{{
	{protocol: sandbox.HTTP, name: "direct", host: "other.example", status: 301},
	{protocol: sandbox.HTTP, name: "hand-written", host: "aliyun.com", status: 301, gateway: true},
	{protocol: sandbox.HTTP, name: "policy", host: "httpbin.org", status: 301, gateway: true},
}, {
	{protocol: sandbox.HTTPS, name: "direct", host: "other.example", status: 200},
	{protocol: sandbox.HTTPS, name: "hand-written", host: "aliyun.com", status: 200, gateway: true},
	{protocol: sandbox.HTTPS, name: "policy", host: "httpbin.org", status: 200, gateway: true},
}}

func main() {
	mesh.Play()
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == callerArgument:
		err = callAsOrdered(os.Stdin, os.Stdout)
	case fabric.Missing() != "":
		err = errors.New(fabric.Missing())
	default:
		err = run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	root, err := demo.Checkout()
	if err != nil {
		return err
	}
	if err := mesh.Enter(ctx, root, testbed.TerraformCLI); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := newLab(ctx, root)
	defer func() { err = errors.Join(err, l.Close()) }()
	if err != nil {
		return err
	}
	for round := range rounds {
		for _, group := range ways {
			for i := range group {
				if err := l.measure(ctx, group[(i+round)%len(group)]); err != nil {
					return err
				}
			}
		}
	}
	return report(ctx, os.Stdout)
}

// measure gives a way its turn.
func (l *lab) measure(ctx context.Context, w *way) error {
	alone, err := l.call(ctx, w, 1, span)
	if err != nil {
		return err
	}
	several, err := l.call(ctx, w, together, span)
	if err != nil {
		return err
	}
	w.latencies = append(w.latencies, alone.Latencies...)
	w.calls += len(several.Latencies)
	w.took += several.Took
	return nil
}
