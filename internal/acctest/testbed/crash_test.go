package testbed

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// holdVariable turns this test binary into a program that starts a control plane
// and does nothing more: the victim of the crash test.
const holdVariable = "TESTBED_TEST_HOLD"

func hold() {
	cp, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	fmt.Println("dir", cp.Dir)
	time.Sleep(time.Hour)
}

// processesOf lists the processes that carry the run directory in their command
// line, as all of them do, supervisors included.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	output, err := exec.Command("ps", "-ww", "-A", "-o", "pid=,command=").Output()
	if err != nil {
		t.Skip("no ps on this machine: ", err)
	}
	var found []string
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, dir) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// victim starts the holding process and waits until its control plane is up.
func victim(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	needed(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(t.Context(), nil, supervisor, Kubernetes, Istio); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), holdVariable+"=1")
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(output).ReadString('\n')
	dir, ok := strings.CutPrefix(strings.TrimSpace(line), "dir ")
	if err != nil || !ok {
		t.Fatalf("the victim says %q (%v)", line, err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return cmd, dir
}

func TestNothingOutlivesAKilledProcess(t *testing.T) {
	cmd, dir := victim(t)
	before := processesOf(t, dir)
	if len(before) != 12 { // six components, each with its supervisor
		t.Errorf("%d processes, want 12:\n%s", len(before), strings.Join(before, "\n"))
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL: no deferred call, no handler
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, dir)
}

func TestNothingOutlivesKilledSupervisors(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("the kernel's parent-death signal is Linux's")
	}
	cmd, dir := victim(t)
	for _, p := range processesOf(t, dir) {
		pid, command, _ := strings.Cut(p, " ")
		if strings.Contains(strings.Fields(command)[0], "/supervisor-") {
			if err := exec.Command("kill", "-9", pid).Run(); err != nil {
				t.Error(p, err)
			}
		}
	}
	gone(t, dir)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func gone(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := processesOf(t, dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there:\n%s", strings.Join(left, "\n"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	needed(t)
	cp, err := Start(t.Context(), Options{Istio: new(bool)})
	if err != nil {
		t.Fatal(err)
	}
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := processesOf(t, cp.Dir); len(left) != 0 {
		t.Errorf("still there:\n%s", strings.Join(left, "\n"))
	}
	if _, err := http.Get(cp.Host); err == nil {
		t.Error("the API server still answers")
	}
	if err := cp.Stop(); err != nil {
		t.Error("a second Stop:", err)
	}
}
