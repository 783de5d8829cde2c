// Command archive builds the release archive of one platform, as .goreleaser.yml
// says, without goreleaser, and prints its path.
//
//	go run ./internal/release/cmd/archive -out dist [-version 0.0.1] [-os linux] [-arch amd64]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/internal/release"
)

func main() {
	out := flag.String("out", "dist", "folder to write to; it is made")
	root := flag.String("root", ".", "the checkout")
	version := flag.String("version", "0.0.1", "version of the release, without a leading v")
	goos := flag.String("os", runtime.GOOS, "GOOS")
	goarch := flag.String("arch", runtime.GOARCH, "GOARCH")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := archive(ctx, *root, *out, *version, *goos, *goarch)
	if err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		stop()
		os.Exit(1)
	}
	fmt.Println(path)
}

func archive(ctx context.Context, root, out, version, goos, goarch string) (string, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	return release.Archive(ctx, root, out, version, goos, goarch)
}
