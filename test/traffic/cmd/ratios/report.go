package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// report writes a table of what was measured.
func report(ctx context.Context, out io.Writer) error {
	paths, err := testbed.Ensure(ctx, os.Stderr, testbed.PilotAgent, testbed.EnvoyProxy)
	if err != nil {
		return err
	}
	istio, err := version(ctx, paths[testbed.PilotAgent], "version", "--short")
	if err != nil {
		return err
	}
	envoy, err := version(ctx, paths[testbed.EnvoyProxy], "--version")
	if err != nil {
		return err
	}
	print := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	print("\n%d CPUs, Istio %s, Envoy %s; %d turns of %s for each figure. × is the ratio to direct.\n",
		runtime.NumCPU(), istio, envoy, rounds, span)
	print("| protocol | way | p50 | × | p99 | × | requests/s, %d callers | × |", together)
	print("|---|---|---|---|---|---|---|---|")
	for _, group := range ways {
		direct := group[0]
		for _, w := range group {
			print("| %s | %s | %.2f ms | %.1f | %.2f ms | %.1f | %.0f | %.2f |", strings.ToUpper(w.protocol), w.name,
				w.percentile(50), w.percentile(50)/direct.percentile(50),
				w.percentile(99), w.percentile(99)/direct.percentile(99), w.rate(), w.rate()/direct.rate())
		}
	}
	return nil
}

// percentile of the latencies, in milliseconds.
func (w *way) percentile(p int) float64 {
	slices.Sort(w.latencies)
	return w.latencies[len(w.latencies)*p/100].Seconds() * 1000
}

// rate is in calls per second.
func (w *way) rate() float64 { return float64(w.calls) / w.took.Seconds() }

// version asks an executable. pilot-agent says "client version: 1.31.1", Envoy
// "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL".
func version(ctx context.Context, executable string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, executable, args...).Output()
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", executable, err)
	}
	_, text, _ := strings.Cut(string(output), "version: ")
	if parts := strings.Split(text, "/"); len(parts) > 1 {
		text = parts[1]
	}
	return strings.TrimSpace(text), nil
}
