package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Control planes that outlive the command that started them: `testbed up` and
// `testbed down`. Each has a name and lives in the cache directory; a process of
// its own ("serve") holds it, and the lock in its run directory says that it runs.

func detachedDir(name string) (string, error) {
	if name == "" || name != filepath.Base(name) {
		return "", fmt.Errorf("%q is not a name for a control plane", name)
	}
	cache, err := cacheDir()
	return filepath.Join(cache, "up", name), err
}

// Up starts the detached control plane of that name, by running self again with
// the arguments serve, and returns the path of its kubeconfig. If it runs already,
// that is all.
func Up(out io.Writer, name, self string, serve ...string) (kubeconfig string, err error) {
	dir, err := detachedDir(name)
	if err != nil {
		return "", err
	}
	kubeconfig = filepath.Join(dir, "admin.kubeconfig")
	if runs, err := detachedRuns(dir); err != nil || runs {
		_, _ = fmt.Fprintf(out, "testbed: %q is up already, perhaps somebody else's\n", name)
		return kubeconfig, err
	}
	cmd := exec.Command(self, serve...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start the process that holds the control plane: %w", err)
	}
	// It closes its output when the control plane is ready, or by dying.
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		_, _ = fmt.Fprintln(out, scanner.Text())
	}
	if _, err := os.Stat(filepath.Join(dir, "pid")); err != nil {
		return "", errors.Join(errors.New("the control plane did not start"), cmd.Wait())
	}
	return kubeconfig, cmd.Process.Release()
}

// Serve starts the detached control plane and holds it until it is told to end.
func Serve(ctx context.Context, name string, opts Options) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := detachedDir(name)
	if err != nil {
		return err
	}
	if runs, err := detachedRuns(dir); err != nil || runs {
		return errors.Join(err, fmt.Errorf("a control plane runs already in %s", dir))
	}
	if err := os.RemoveAll(dir); err != nil { // what the last one left
		return err
	}
	opts.Dir = dir
	cp, err := Start(ctx, opts)
	if err != nil {
		return err
	}
	pid := filepath.Join(dir, "pid")
	if err := os.WriteFile(pid, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return errors.Join(err, cp.Stop())
	}
	// Nobody reads our output from here on.
	signal.Ignore(syscall.SIGPIPE)
	_, _ = os.Stdout.Close(), os.Stderr.Close()
	<-ctx.Done()
	_ = os.Remove(pid)
	return cp.Stop()
}

// Down ends the detached control plane and waits until it is gone.
func Down(out io.Writer, name string) error {
	dir, err := detachedDir(name)
	if err != nil {
		return err
	}
	if runs, err := detachedRuns(dir); err != nil || !runs {
		_, _ = fmt.Fprintf(out, "testbed: %q is not up\n", name)
		return err
	}
	content, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil {
		return fmt.Errorf("the control plane is still starting: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end process %d: %w", pid, err)
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if runs, err := detachedRuns(dir); err != nil || !runs {
			_, _ = fmt.Fprintln(out, "testbed: down")
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

func detachedRuns(dir string) (bool, error) {
	path := filepath.Join(dir, "lock")
	if !isFile(path) {
		return false, nil
	}
	l, err := tryLock(path)
	l.unlock()
	return err == nil && l == nil, err
}
