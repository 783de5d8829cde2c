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
//	N="10 100 1000" ... -docs page.md           puts the figures into a page
//	ACCTEST_CLI=tofu ...                        with OpenTofu
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	docs := flag.String("docs", "", "a page to put the figures into")
	flag.Parse()
	if err := run(ctx, os.Stdout, *docs); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, docs string) (err error) {
	counts, err := countsOf(os.Getenv("N"))
	if err != nil {
		return err
	}
	l, err := newLab(ctx, os.Stderr)
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return err
	}
	e, err := measureExecutable(ctx, l.provider)
	if err != nil {
		return err
	}
	var runs []measured
	for _, count := range counts {
		m := measured{count: count}
		var objects []object
		if m.provider, objects, err = l.policies(ctx, count); err != nil {
			return err
		}
		if m.core, err = l.core(ctx, count, m.provider.stateBytes); err != nil {
			return err
		}
		if m.raw, err = l.raw(ctx, objects); err != nil {
			return err
		}
		report(out, count, m.provider, m.core, m.raw)
		runs = append(runs, m)
	}
	_, _ = fmt.Fprintf(out, "\nExecutable: %.1f MB, starts in %d ms (the middle of %d starts).\n",
		float64(e.size)/(1<<20), e.startUp.Milliseconds(), starts)
	if docs == "" {
		return nil
	}
	return writeDocs(docs, e, runs)
}

// countsOf reads the numbers of policies, separated by blanks.
func countsOf(text string) ([]int, error) {
	if text == "" {
		return []int{100}, nil
	}
	var counts []int
	for _, field := range strings.Fields(text) {
		count, err := strconv.Atoi(field)
		if err != nil || count < 1 {
			return nil, fmt.Errorf("number of policies N=%s: must be numbers from 1", text)
		}
		counts = append(counts, count)
	}
	return counts, nil
}
