package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// process is one component under its supervisor. It can be started again after it
// was stopped, with the same arguments and so on the same ports.
type process struct {
	name       string
	supervisor string
	argv       []string
	env        []string // from cleanEnv
	dir        string
	log        string

	mu   sync.Mutex
	pipe *os.File      // closing it ends the component
	done chan struct{} // closed when the component has ended
	err  error         // how it ended
	stop bool          // it was us
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("%s runs already", p.name)
	}
	logFile, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	// os.Pipe is close-on-exec: the supervisor gets the reading end only, and no
	// other child of this process (a terraform, say) keeps the writing end open.
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command(p.supervisor, p.argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, logFile, logFile
	cmd.Dir = p.dir
	cmd.Env = p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	p.pipe, p.done, p.err, p.stop = w, done, nil, false
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
	return nil
}

// end stops the component and waits until it is gone. Killing is the default: what
// is thrown away need not be shut down.
func (p *process) end(graceful bool) error {
	p.mu.Lock()
	if p.pipe == nil {
		p.mu.Unlock()
		return nil
	}
	pipe, done := p.pipe, p.done
	p.pipe, p.stop = nil, true
	p.mu.Unlock()
	if graceful {
		_, _ = pipe.Write([]byte("t"))
	}
	_ = pipe.Close()
	select {
	case <-done:
		return nil
	case <-time.After(30 * time.Second):
		return fmt.Errorf("%s does not end (log: %s)", p.name, p.log)
	}
}

func (p *process) running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// await polls until ready returns nil; it fails at once when the component ends.
func (p *process) await(ctx context.Context, what string, ready func(context.Context) error) error {
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return fmt.Errorf("%s was not started", p.name)
	}
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("%s ended before it was ready (%w); the end of %s:\n%s", p.name, errOr(p.err), p.log, p.logTail())
		case <-ctx.Done():
			return fmt.Errorf("%s: %s: %w (last: %w); the end of %s:\n%s", p.name, what, ctx.Err(), err, p.log, p.logTail())
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (p *process) logTail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return tail(string(content), 20)
}

func errOr(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// cleanEnv passes on what a process needs of the machine and nothing that would
// turn it to another cluster.
func cleanEnv(extra ...string) []string {
	env := make([]string, 0, 8+len(extra))
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "LANG", "TZ", "GODEBUG"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return append(env, extra...)
}

func logPath(dir, name string) string { return filepath.Join(dir, "logs", name+".log") }
