// Command bench measures what N policies cost, beside what the same work costs
// without the provider, in the same run on the same machine:
//
//   - core's floor: `terraform_data` of the same count and the same bytes of state;
//   - the API floor: a client-go loop that applies and deletes the same objects
//     over 10 connections, and the LISTs of their kinds.
//
// A policy has one HTTPS host and one source. The figures that matter are the
// ratios; seconds are this machine's.
//
//	N=100 go run ./internal/acctest/cmd/bench
//	ACCTEST_CLI=tofu ...                        with OpenTofu
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	count := 100
	if text := os.Getenv("N"); text != "" {
		if count, err = strconv.Atoi(text); err != nil || count < 1 {
			return fmt.Errorf("number of policies N=%s: must be a number from 1", text)
		}
	}
	l, err := newLab(ctx, os.Stderr)
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return err
	}
	provider, objects, err := l.policies(ctx, count)
	if err != nil {
		return err
	}
	core, err := l.core(ctx, count, provider.stateBytes)
	if err != nil {
		return err
	}
	raw, err := l.raw(ctx, objects)
	if err != nil {
		return err
	}
	report(out, count, provider, core, raw)
	return nil
}
