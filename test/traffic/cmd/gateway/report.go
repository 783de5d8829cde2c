package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// table is in Markdown.
func table(ctx context.Context, all []measurement) (string, error) {
	paths, err := testbed.Ensure(ctx, os.Stderr, testbed.EnvoyProxy)
	if err != nil {
		return "", err
	}
	// "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
	output, err := exec.CommandContext(ctx, paths[testbed.EnvoyProxy], "--version").Output()
	if err != nil {
		return "", err
	}
	_, text, _ := strings.Cut(string(output), "version: ")
	version := strings.Split(text, "/")
	if len(version) < 2 {
		return "", fmt.Errorf("version of Envoy: %s", output)
	}
	var b strings.Builder
	b.WriteString("| grants | `terraform apply` | then, until the last port answers | gateway: listeners | allocated | resident | sidecar of the source namespace: allocated | sidecar of another namespace: allocated |\n")
	b.WriteString("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, m := range all {
		_, _ = fmt.Fprintf(&b, "| %d | %.1f s | %.2f s | %d | %s | %s | %s | %s |\n", m.policies, m.apply.Seconds(), m.served.Seconds(),
			m.gateway.listeners, megabytes(m.gateway.allocated), megabytes(m.gateway.resident),
			megabytes(m.source.allocated), megabytes(m.bystander.allocated))
	}
	_, _ = fmt.Fprintf(&b, "\nEnvoy %s, everything on one machine with %d cores. Each line adds to the one before.\n", version[1], runtime.NumCPU())
	return b.String(), nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
