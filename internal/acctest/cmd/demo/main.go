// Command demo shows what the provider does, on a real kube-apiserver and a real
// istiod that it starts itself and ends again: plan, apply, a hand edit seen in
// the next plan, its repair, and destroy.
//
//	go run ./internal/acctest/cmd/demo
//	KEEP=1 go run ./internal/acctest/cmd/demo    leaves everything running before the destroy
//	ACCTEST_CLI=tofu ...                         with OpenTofu
//
// Every step prints the command that it runs and checks what the command shows;
// the exit code is 0 only if every step showed what it should. It asks nothing,
// and it touches no cluster but its own: KUBECONFIG and KUBE_* of the caller are
// not handed on.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	if err := run(ctx, os.Stdout, os.Getenv("KEEP") != ""); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		stop()
		os.Exit(1)
	}
	fmt.Printf("\nThe demo has shown everything it should, in %.0f s.\n", time.Since(began).Seconds())
}
