package faults

import (
	"fmt"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// task is a cell that has not run yet.
type task struct {
	fault   *fault
	op      operation
	subject *subject
	at      int
}

func (k task) name() string {
	return (&cell{fault: k.fault, op: k.op, subject: k.subject, at: k.at}).name()
}

// baseline is an operation without a fault: which requests there are to fail.
type baseline struct {
	op      operation
	subject *subject
}

// TestMatrix runs the fault matrix: all of it with -full, else one cell of each
// fault that does not take long.
func TestMatrix(t *testing.T) {
	f := acctest.New(t)
	count := *workers
	if count == 0 {
		count = 4 * runtime.GOMAXPROCS(0)
	}
	worlds := make([]*world, count)
	for i := range worlds {
		worlds[i] = newWorld(t, f, i)
	}
	faults := append(answers(), situations()...)
	measured := measure(t, worlds)
	tasks := choose(t, faults, measured)
	t.Logf("%d cells, %d at once", len(tasks), count)

	report := newReport(faults)
	run := func(w *world, tasks <-chan task) {
		for next := range tasks {
			began := time.Now()
			c := w.run(next.fault, next.op, next.subject, next.at)
			report.add(c, time.Since(began))
			for _, problem := range c.problems {
				t.Errorf("%s:\n%s", c.name(), problem)
			}
			if testing.Verbose() {
				fmt.Printf("%-90s %5.1f s %s\n", c.name(), time.Since(began).Seconds(), verdict(c))
			}
		}
	}
	// Those that mostly wait have workers of their own.
	quick, slow := make(chan task, len(tasks)), make(chan task, len(tasks))
	for _, next := range tasks {
		if next.fault.slow {
			slow <- next
		} else {
			quick <- next
		}
	}
	close(quick)
	close(slow)
	var all sync.WaitGroup
	for i := range min(3*count, len(slow)) {
		w := newWorld(t, f, count+i)
		all.Go(func() { run(w, slow) })
	}
	for _, w := range worlds {
		all.Go(func() { run(w, quick) })
	}
	all.Wait()
	report.finish(t)
}

func verdict(c *cell) string {
	if len(c.problems) > 0 {
		return "FAIL"
	}
	return "ok"
}

// measure runs each operation of each subject without a fault, and returns the
// requests of each.
func measure(t *testing.T, worlds []*world) map[baseline][]proxy.Request {
	t.Helper()
	measured := map[baseline][]proxy.Request{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range worlds {
		all.Go(func() {
			for n := i; n < len(subjects)*len(operations); n += len(worlds) {
				b := baseline{operations[n%len(operations)], subjects[n/len(operations)]}
				if !*full && *rows == "" && b.subject == gateway && b.op != create {
					continue // see sample
				}
				none := &fault{row: "none", name: "no fault", on: everywhere(succeeds)}
				c := worlds[i].run(none, b.op, b.subject, 0)
				for _, problem := range c.problems {
					t.Errorf("%s:\n%s", c.name(), problem)
				}
				mu.Lock()
				measured[b] = c.journal
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return measured
}

// choose returns the cells to run.
func choose(t *testing.T, faults []*fault, measured map[baseline][]proxy.Request) []task {
	t.Helper()
	wanted := regexp.MustCompile(*rows)
	var chosen []task
	for _, f := range faults {
		var cells []task
		of := f.of
		if of == nil {
			of = subjects
		}
		for _, s := range of {
			for _, op := range operations {
				if _, ok := f.on[op]; !ok {
					continue
				}
				for _, at := range indexes(f, s, measured[baseline{op, s}]) {
					next := task{f, op, s, at}
					if wanted.MatchString(next.name()) {
						cells = append(cells, next)
					}
				}
			}
		}
		switch {
		case *full || *rows != "":
			chosen = append(chosen, cells...)
		case !f.slow:
			chosen = append(chosen, sample(cells, len(chosen))...)
		}
	}
	return chosen
}

// indexes are the requests of an operation that a fault meets: every write, and
// of the reads the first of each verb and kind.
func indexes(f *fault, s *subject, requests []proxy.Request) []int {
	if f.each != nil || f.when == nil {
		variants := 1
		if f.each != nil {
			variants = f.each(s)
		}
		all := make([]int, variants)
		for i := range all {
			all[i] = i
		}
		return all
	}
	var found []int
	seen := map[string]bool{}
	n := 0
	for _, r := range requests {
		if !f.when(r) {
			continue
		}
		like := r.Verb + " " + r.Resource
		if r.IsWrite() || !seen[like] {
			found = append(found, n)
		}
		seen[like] = true
		n++
	}
	return found
}

// defects are cells that have found one.
var defects = regexp.MustCompile(`stream ended, (not )?committed, create gateway @6$|another kind, delete policy @5$|` +
	`SIGINT at write k, update policy @1$|SIGINT at write k, delete policy @12$|SIGKILL before write k, create policy @5$|` +
	`then another configuration, create policy @15$|CRD gone, done, delete policy @0$|being deleted, and going, read policy @0$`)

// sample takes one cell, another one for each fault, of a subject that makes few
// requests where there is one; and those that have found a defect.
func sample(cells []task, n int) []task {
	var small, chosen []task
	for _, next := range cells {
		switch {
		case defects.MatchString(next.name()):
			chosen = append(chosen, next)
		case next.subject != policy && next.subject != gateway:
			small = append(small, next)
		}
	}
	if len(small) == 0 {
		small = cells
	}
	if len(small) > 0 {
		chosen = append(chosen, small[(n*7)%len(small)])
	}
	return chosen
}
