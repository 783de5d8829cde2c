// Command bench measures what N policies cost, beside what the same objects cost
// otherwise, in the same run on the same machine:
//
//   - core's floor: `terraform_data` of the same count and the same bytes of state;
//   - the API floor: a client-go loop that applies and deletes the same objects
//     over 10 connections, and the LISTs of their kinds;
//   - `kubectl apply --server-side` of the same objects;
//   - a provider of manifests, gavinbunney/kubectl, with a resource for each object;
//   - the provider over a link with round trips of 50 ms, beside the time that its
//     writes need at least, as one has to follow another.
//
// A policy has one HTTPS host and one source. The figures that matter are the
// ratios; seconds are this machine's. A provider that asks the API server what it
// serves ends the run: it has to make no discovery request.
//
//	N=100 go run ./internal/acctest/cmd/bench
//	... -rows 'terraform_data raw kubectl kubectl_manifest=10 wan'
//	N="10 100 1000" ... -docs page.md           puts the figures into a page
//	ACCTEST_CLI=tofu ...                        with OpenTofu
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/figures"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	docs := flag.String("docs", "", "a page to put the figures into")
	rows := flag.String("rows", defaultRows, "what to compare with, separated by blanks; name=N runs a row with N policies at most")
	flag.Parse()
	if err := run(ctx, os.Stdout, *rows, *docs); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		stop()
		os.Exit(1)
	}
}

// measured is one count of policies.
type measured struct {
	count, objects int
	// rows are the subjects' by name, ours among them.
	rows map[string]life
}

func run(ctx context.Context, out io.Writer, rows, docs string) (err error) {
	counts, err := countsOf(os.Getenv("N"))
	if err != nil {
		return err
	}
	chosen, err := selectRows(rows)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, os.Stderr)
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return err
	}
	r, err := l.all(ctx, out, chosen, counts)
	if len(r.runs) > 0 { // also after an error: a run takes long
		_, _ = fmt.Fprint(out, r.text(true))
	}
	if err != nil || docs == "" {
		return err
	}
	return figures.Write(docs, "make bench-docs", r.text(false))
}

// all measures everything, in the order of counts. After an error it returns what was
// measured before, by count.
func (l *lab) all(ctx context.Context, progress io.Writer, chosen selection, counts []int) (results, error) {
	var r results
	var err error
	if r.executable, err = measureExecutable(ctx, l.provider); err != nil {
		return r, err
	}
	for _, count := range counts {
		m, err := l.compare(ctx, chosen, count)
		if len(m.rows) > 0 {
			r.runs = append(r.runs, m)
			slices.SortFunc(r.runs, func(a, b measured) int { return cmp.Compare(a.count, b.count) })
		}
		if err != nil {
			return r, err
		}
		_, _ = fmt.Fprintln(progress, m.times())
		if count == chosen.longest(counts) {
			if r.wan, err = l.wan(ctx, count); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// compare runs the provider and all chosen rows with so many policies.
func (l *lab) compare(ctx context.Context, chosen selection, count int) (measured, error) {
	m := measured{count: count, rows: map[string]life{}}
	own, made, err := l.policies(ctx, count)
	if err != nil {
		return m, err
	}
	m.objects = len(made.objects)
	m.rows[ourPolicies] = own
	for _, s := range subjects {
		if !chosen.has(s.name, count) {
			continue
		}
		row, err := s.live(l, ctx, made)
		if err != nil {
			return m, fmt.Errorf("%s: %w", s.name, err)
		}
		m.rows[s.name] = row
	}
	return m, nil
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
