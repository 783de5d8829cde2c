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

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// executable is what every command of a CLI pays for before it does anything.
type executable struct {
	size    int64         // bytes, as released
	startUp time.Duration // until the provider has answered with its schema
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

// startUp starts the provider as Terraform does, asks for its schema and ends it. Its
// first line says where it listens: the handshake of go-plugin
// (github.com/hashicorp/go-plugin, docs/internals.md).
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
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	fields := strings.Split(strings.TrimSpace(line), "|") // version|protocol|network|address|grpc|certificate
	if err != nil || len(fields) < 5 || fields[4] != "grpc" {
		return 0, fmt.Errorf("%s should say where it listens, and says %q: %w", path, line, err)
	}
	if err := askSchema(ctx, fields[2]+":"+fields[3]); err != nil {
		return 0, fmt.Errorf("schema of %s: %w", path, err)
	}
	return time.Since(began), nil
}

// schemaBytes is more than an answer with all schemas has.
const schemaBytes = 64 << 20

// askSchema calls GetProviderSchema, whose request is empty and whose answer is kept
// as bytes: terraform-plugin-go does not export the messages.
func askSchema(ctx context.Context, target string) error {
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	return connection.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", &emptypb.Empty{}, &emptypb.Empty{},
		grpc.MaxCallRecvMsgSize(schemaBytes), grpc.WaitForReady(true))
}
