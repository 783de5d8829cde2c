package faults

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// report collects what the cells came to.
type report struct {
	mu     sync.Mutex
	began  time.Time
	faults []*fault
	lines  map[*fault]map[operation]*tally
	slow   map[*fault]time.Duration
	said   map[string]bool
}

type tally struct{ cells, failed int }

func newReport(faults []*fault) *report {
	return &report{began: time.Now(), faults: faults, lines: map[*fault]map[operation]*tally{}, slow: map[*fault]time.Duration{}, said: map[string]bool{}}
}

func (r *report) add(c *cell, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines[c.fault] == nil {
		r.lines[c.fault] = map[operation]*tally{}
	}
	line := r.lines[c.fault][c.op]
	if line == nil {
		line = &tally{}
		r.lines[c.fault][c.op] = line
	}
	line.cells++
	if len(c.problems) > 0 {
		line.failed++
	}
	r.slow[c.fault] = max(r.slow[c.fault], took)
	for _, d := range c.diags {
		r.said[d.Summary] = true
	}
}

// finish writes the table, if a file was asked for.
func (r *report) finish(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	cells, failed := 0, 0
	var table strings.Builder
	table.WriteString("| row | fault |")
	for _, op := range operations {
		fmt.Fprintf(&table, " %s |", op)
	}
	table.WriteString(" longest |\n|---|---|" + strings.Repeat("---|", len(operations)+1) + "\n")
	for _, f := range r.faults {
		line := r.lines[f]
		if line == nil {
			continue
		}
		fmt.Fprintf(&table, "| %s | %s |", f.row, f.name)
		for _, op := range operations {
			one := line[op]
			if one == nil {
				table.WriteString(" |")
				continue
			}
			cells, failed = cells+one.cells, failed+one.failed
			fmt.Fprintf(&table, " %s %d", f.on[op], one.cells)
			if one.failed > 0 {
				fmt.Fprintf(&table, ", **%d failed**", one.failed)
			}
			table.WriteString(" |")
		}
		fmt.Fprintf(&table, " %.0f s |\n", r.slow[f].Seconds())
	}
	t.Logf("%d cells, %d failed, %s", cells, failed, time.Since(r.began).Round(time.Second))
	if testing.Verbose() {
		var said []string
		for summary := range r.said {
			said = append(said, summary)
		}
		sort.Strings(said)
		t.Logf("what was said:\n  %s", strings.Join(said, "\n  "))
	}
	if *results == "" {
		return
	}
	text := fmt.Sprintf(resultsHead, cells, failed, time.Since(r.began).Round(time.Second), runtime.GOMAXPROCS(0), table.String())
	if err := os.WriteFile(*results, []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}

const resultsHead = `# Results of the fault matrix

%d cells, %d failed; %s on %d cores. Written by ` + "`make faults`" + `; what the words mean is in doc.go and cell_test.go.

A cell is one fault at one request of one operation of one of six subjects: a policy, a gateway, and the outbound policy
in its four forms. **R**: the operation succeeds. **E**: it ends with an error that names the object, and the state is
kept. **told**: it ends with an error or a warning, or does not need the answer. After each cell the same function checks
that nothing of anybody else was touched, that the state knows what lives, that nothing is less guarded than before or
after, that no secret was said, that one apply without the fault ends in an empty plan, and that a destroy leaves nothing.

%s`
