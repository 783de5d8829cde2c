package faults

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
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

// cell is which cell of its fault and operation it is.
func (k task) cell() string { return fmt.Sprintf("%s @%d", k.subject.name, k.at) }

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
	report := newReport()
	before, err := readParts(*parts)
	if err != nil {
		t.Fatal(err)
	}
	all := len(tasks)
	tasks = slices.DeleteFunc(tasks, before.passed)
	t.Logf("%d cells, %d of them passed in a part of before, %d at once", all, all-len(tasks), count)

	run := func(w *world, chains <-chan []task) {
		for chain := range chains {
			for _, next := range chain {
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
		for _, problem := range w.finish() {
			t.Errorf("the last one: %s", problem)
		}
	}
	// Those that mostly wait come first, many at once: beside the others they would
	// wait for the processor too, and their limits are times.
	var slow, quick [][]task
	for _, chain := range chains(tasks) {
		if chain[0].fault.slow {
			slow = append(slow, chain)
		} else {
			quick = append(quick, chain)
		}
	}
	for i := range min(5*count, len(slow)) {
		worlds = append(worlds, newWorld(t, f, count+i))
	}
	for _, phase := range []struct {
		worlds []*world
		chains [][]task
	}{{worlds[count:], slow}, {worlds[:count], quick}} {
		next := make(chan []task, len(phase.chains))
		for _, chain := range phase.chains {
			next <- chain
		}
		close(next)
		var working sync.WaitGroup
		for _, w := range phase.worlds {
			working.Go(func() { run(w, next) })
		}
		working.Wait()
	}
	report.finish(t)
}

// longest is how many cells a chain has at most: the last ones to run must not
// keep one worker busy alone.
const longest = 24

// chains puts the cells of one fault and one subject into an order in which each
// finds the instance that it needs where the one before has left it.
func chains(tasks []task) [][]task {
	type pair struct {
		fault   *fault
		subject *subject
	}
	var order []pair
	of := map[pair]map[operation][]task{}
	for _, next := range tasks {
		p := pair{next.fault, next.subject}
		if of[p] == nil {
			of[p] = map[operation][]task{}
			order = append(order, p)
		}
		of[p][next.op] = append(of[p][next.op], next)
	}
	var all [][]task
	for _, p := range order {
		ops := of[p]
		chain := ops[planNew]
		looks := slices.Concat(ops[read], ops[imports])
		for i := range max(len(ops[create]), len(ops[update]), len(ops[destroy]), 1) {
			for _, op := range []operation{create, update, destroy} {
				if i < len(ops[op]) {
					chain = append(chain, ops[op][i])
				}
				if op == create && i == 0 {
					chain = append(chain, looks...)
				}
			}
		}
		if p.fault.slow {
			for _, next := range chain {
				all = append(all, []task{next})
			}
			continue
		}
		for len(chain) > longest {
			all = append(all, chain[:longest])
			chain = chain[longest:]
		}
		all = append(all, chain)
	}
	return all
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
				none := &fault{row: "none", name: "no fault", on: everywhere(succeeds), when: proxy.All}
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
	`then another configuration, create (policy @15|gateway @4)$|SIGKILL after write k, create outbound of the mesh @0$|CRD gone, done, delete policy @0$|being deleted, and going, read policy @0$`)

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
