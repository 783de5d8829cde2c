package demo

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Options says on what the demo is played.
type Options struct {
	// ControlPlane is how the control plane is started.
	ControlPlane testbed.Options
	// Traffic makes calls; nil: there are none, and what they would show is left out.
	Traffic Traffic
	// Missing says, where there is no Traffic, what would have to be there for it.
	Missing string
	// Archive is a release's archive to install the provider from; empty: a build of
	// this checkout is installed.
	Archive string
	// Enter is the command that leads another terminal to where the demo runs; "" if
	// it leads nowhere else.
	Enter string
}

// Main plays the demo to standard output and ends the process. KEEP=1 leaves
// everything running before the destroy, ACCTEST_CLI=tofu takes OpenTofu.
func Main(options Options) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	if err := run(ctx, os.Stdout, options, os.Getenv("KEEP") != ""); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		stop()
		os.Exit(1)
	}
	fmt.Printf("\nThe demo has shown everything it should, in %.0f s.\n", time.Since(began).Seconds())
	if options.Traffic == nil {
		fmt.Printf("Left out: %s.\n", options.leftOut())
	}
	stop()
	os.Exit(0)
}

// leftOut is what a reader does not see, and why.
func (o Options) leftOut() string {
	return "calls of the workloads through real sidecars and a real gateway, because " + o.Missing
}
