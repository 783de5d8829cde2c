package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// victim is the process that a signal goes to.
type victim struct {
	name   string
	signal syscall.Signal
	// provider: the provider's process, not the CLI's.
	provider bool
}

var victims = []victim{
	{"SIGINT of the CLI", syscall.SIGINT, false},
	{"SIGKILL of the CLI", syscall.SIGKILL, false},
	{"SIGKILL of the provider", syscall.SIGKILL, true},
}

// TestProcess ends real processes of the CLI and of the provider in the middle
// of an apply, at one write after the other; -full at six of each operation,
// else at one.
func TestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("finds the provider's process in /proc")
	}
	f := acctest.New(t)
	steps := []int{4}
	ops := []operation{create}
	if *full {
		steps, ops = []int{0, 2, 4, 6, 8, 11}, []operation{create, update, destroy}
	}
	// A world is a namespace for each: they run beside each other.
	var queue []func(w *world)
	for _, v := range victims {
		for _, op := range ops {
			for _, at := range steps {
				queue = append(queue, func(w *world) { endProcess(t, w, v, op, at) })
			}
		}
	}
	next := make(chan func(w *world))
	var all sync.WaitGroup
	for i := range min(3, len(queue)) {
		w := newWorld(t, f, 100+i)
		all.Go(func() {
			for run := range next {
				run(w)
			}
		})
	}
	for _, run := range queue {
		next <- run
	}
	close(next)
	all.Wait()
}

// endProcess runs one cell with the real CLI.
func endProcess(t *testing.T, w *world, v victim, op operation, at int) {
	w.cells++
	name := fmt.Sprintf("p%d", w.cells)
	cell := fmt.Sprintf("%s, %s policy @%d", v.name, op, at)
	fail := func(format string, args ...any) { t.Errorf("%s: "+format, append([]any{cell}, args...)...) }
	space := w.f.Workspace(w.f.CLI, w.f.Config("", acctest.WithAttribute("host", strconv.Quote(w.proxy.Host)),
		acctest.WithAttribute("cluster_ca_certificate", strconv.Quote(string(w.proxy.CAData)))))
	write := func(config core.Object) { writeConfig(space, config) }
	w.proxy.Arm()
	write(policy.before(w, name))
	args := acctest.Apply
	switch op {
	case update:
		space.Expect(0, acctest.Apply)
		write(policy.after(w, name))
	case destroy:
		space.Expect(0, acctest.Apply)
		args = acctest.Destroy
	}

	pid := make(chan int, 1)
	var orphans []int
	die := proxy.Instead(v.name, func(proxy.Request) {
		cli := <-pid
		providers := descendants(cli, "terraform-provi")
		target := []int{cli}
		if v.provider {
			target = providers
		} else if v.signal == syscall.SIGKILL {
			orphans = providers
		}
		for _, process := range target {
			_ = syscall.Kill(process, v.signal)
		}
	}, proxy.Reset)
	if v.signal == syscall.SIGINT {
		die = proxy.Before(v.name, func(proxy.Request) { _ = syscall.Kill(<-pid, v.signal) })
	}
	w.proxy.Arm(proxy.Rule{When: proxy.Writes, Skip: at, Times: 1, Fault: die})
	process, err := space.Start(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	pid <- process.Pid()
	result, err := process.Wait()
	if err != nil {
		fail("%v", err)
	}
	met := 0
	for _, r := range w.proxy.Journal() {
		if r.Fault != "" {
			met++
		}
	}
	w.proxy.Arm()
	for _, orphan := range orphans {
		if !ends(orphan) {
			fail("the provider goes on without its CLI")
			_ = syscall.Kill(orphan, syscall.SIGKILL)
		}
	}
	if met == 0 {
		if !*full {
			fail("no write met the signal")
		}
		return // the operation has fewer writes
	}
	if result.ExitCode == 0 && v.signal == syscall.SIGKILL {
		fail("exit code 0\n%s", result.Output)
	}
	if v.signal == syscall.SIGINT && result.ExitCode != 0 {
		said := acctest.Unwrap(result.Output)
		if !strings.Contains(said, ": interrupted") {
			fail("an error does not say that it was interrupted:\n%s", result.Output)
		}
		if strings.Contains(said, "time is up") || strings.Contains(said, "ran out of time") {
			fail("an interrupted operation did not run out of time:\n%s", result.Output)
		}
	}
	w.afterEnd(t, space, cell, op, name, args)
}

// ends waits for the end of a process that is nobody's child any more.
func ends(pid int) bool {
	err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, rest, _ := strings.Cut(string(text), ") ")
		// A zombie has ended: where nobody reaps, it stays one.
		return errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(rest, "Z"), nil
	})
	return err == nil
}

// afterEnd runs the same command again, as far as need be with what its errors
// say, and destroys.
func (w *world) afterEnd(t *testing.T, space *acctest.Workspace, cell string, op operation, name string, args []string) {
	fail := func(format string, args ...any) { t.Errorf("%s: "+format, append([]any{cell}, args...)...) }
	run := func(args ...string) (int, string) {
		result, err := space.Run(t.Context(), args...)
		if err != nil {
			fail("%v", err)
		}
		return result.ExitCode, acctest.Unwrap(result.Output) + "\n" + result.Output
	}
	code, text := run(args...)
	if code != 0 && op == create {
		switch {
		case strings.Contains(text, "terraform import"):
			if code, text := run("import", "-no-color", policy.typ+".test", policy.id(w, name)); code != 0 {
				fail("the import that the error advises fails:\n%s", text)
			}
		case strings.Contains(text, "kubectl -n "):
			for o := range w.live(policy.kinds) {
				if slices.Contains(strings.Fields(text), o.name) {
					w.remove(o)
				}
			}
		default:
			fail("neither resumes nor says how:\n%s", text)
		}
		code, text = run(args...)
	}
	if code != 0 {
		fail("the next %s fails:\n%s", op, text)
	}
	if op != destroy {
		if code, text := run(acctest.Plan...); code != acctest.NoChanges {
			fail("the plan after it ends with %d:\n%s", code, text)
		}
		if code, text := run(acctest.Destroy...); code != 0 {
			fail("the destroy fails:\n%s", text)
		}
	}
	if left := w.live(policy.kinds); len(left) > 0 {
		fail("the destroy has left %s", names(left))
		w.purge(policy.kinds)
	}
	if now := w.look(w.theirs); len(now) != len(w.snapshot) {
		fail("something of somebody else's is gone")
	} else {
		for o, before := range w.snapshot {
			if now[o] != before {
				fail("touched: %s", o)
			}
		}
	}
}

// writeConfig writes the one resource of a workspace.
func writeConfig(space *acctest.Workspace, config core.Object) {
	space.Write("resource.tf.json", jsonOf(core.Object{"resource": core.Object{policy.typ: core.Object{"test": config}}}))
}

// descendants returns the processes below one whose command begins so.
func descendants(pid int, command string) []int {
	children := map[int][]int{}
	commands := map[int]string{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (command) state ppid ..., proc_pid_stat(5)
		head, rest, ok := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		number, name, _ := strings.Cut(head, " (")
		process, _ := strconv.Atoi(number)
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], process)
		commands[process] = name
	}
	var found []int
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		for _, child := range children[todo[0]] {
			todo = append(todo, child)
			if strings.HasPrefix(commands[child], command) {
				found = append(found, child)
			}
		}
	}
	return found
}
