package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// executable is what every command of a CLI pays for before it does anything.
type executable struct {
	size    int64         // bytes, as released
	startUp time.Duration // until the provider says where it listens
}

// starts is how often the start is measured; the middle one counts.
const starts = 11

// buildReleased builds the provider stripped, as releases are. With the other flags of
// .goreleaser.yml every package would be compiled anew, and neither size nor speed
// would change.
func buildReleased(ctx context.Context, target string) error {
	build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", target, ".")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the provider: %w\n%s", err, output)
	}
	return nil
}

func measureExecutable(ctx context.Context, path string) (executable, error) {
	info, err := os.Stat(path)
	if err != nil {
		return executable{}, err
	}
	var times []time.Duration
	for range starts {
		took, err := startUp(ctx, path)
		if err != nil {
			return executable{}, err
		}
		times = append(times, took)
	}
	slices.Sort(times)
	return executable{info.Size(), times[starts/2]}, nil
}

// startUp starts the provider as Terraform does, and ends it at its first line: the
// handshake of go-plugin (github.com/hashicorp/go-plugin, docs/internals.md).
func startUp(ctx context.Context, path string) (time.Duration, error) {
	command := exec.CommandContext(ctx, path)
	command.Env = append(os.Environ(), "PLUGIN_PROTOCOL_VERSIONS=6",
		// The cookie of Terraform's plugins (terraform-plugin-go, tf6server).
		"TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	stdout, err := command.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	took := time.Since(began)
	_ = command.Process.Kill()
	_ = command.Wait()
	if err != nil || !strings.Contains(line, "|grpc|") {
		return 0, fmt.Errorf("%s should say where it listens, and says %q: %w", path, line, err)
	}
	return took, nil
}
