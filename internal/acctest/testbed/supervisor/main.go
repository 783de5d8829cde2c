// Command supervisor runs one component of the test control plane and ends it when
// whoever started it is gone, however that happened.
//
// Its standard input is a pipe whose other end only the starting process holds.
// The kernel closes that end even on kill -9, so end-of-file is the one message
// that cannot get lost. A byte "t" before it asks for a graceful end first.
// Should the supervisor itself be killed, the kernel kills the component (Linux).
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// grace is how long a component has after SIGTERM.
const grace = 10 * time.Second

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: supervisor command [argument...] (started by package testbed)")
		os.Exit(2)
	}
	// The parent-death signal follows the thread that forked; the main thread is
	// the one that never ends before the process does.
	runtime.LockOSThread()
	// A Ctrl-C is the starter's to judge; we hear about its end through the pipe.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)

	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(127)
	}
	group := -cmd.Process.Pid

	go func() {
		asked, _ := io.ReadAll(os.Stdin)
		if len(asked) > 0 && asked[0] == 't' {
			_ = syscall.Kill(group, syscall.SIGTERM)
			time.Sleep(grace)
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
	}()

	err := cmd.Wait()
	_ = syscall.Kill(group, syscall.SIGKILL) // what the component may have started
	if err != nil {
		fmt.Fprintln(os.Stderr, "supervisor: ended:", err)
		os.Exit(1)
	}
}
