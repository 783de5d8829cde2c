package fabric

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// Interface is the one network card of a machine.
type Interface struct {
	// Addresses with prefix length, such as 10.244.1.7/16.
	Addresses []string
	// Neighbours are further ranges that live on the bridge.
	Neighbours []string
	// Gateway takes what goes elsewhere; empty: nothing does.
	Gateway string
}

// Machine is a process in network and process namespaces of its own: the first of
// its process namespace, so that its end is the end of all that it has started.
type Machine struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// roleVariable says what a machine does: main looks at it before anything else.
const roleVariable = "TRAFFIC_ROLE"

// Role returns the role of this process, "" for none.
func Role() string { return os.Getenv(roleVariable) }

// order is what a machine reads from its standard input, when its cable is there.
type order struct {
	Interface Interface
	Task      json.RawMessage
}

// Start starts a machine that has a role and is given a task, any JSON value. Its
// standard error goes into the file log.
func (b *Bridge) Start(role string, card Interface, task any, log string) (*Machine, error) {
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }()
	m := &Machine{cmd: exec.Command(executable), done: make(chan struct{})}
	m.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	m.cmd.Stdout, m.cmd.Stderr = output, output
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Setpgid: true}
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a machine: %w", err)
	}
	go func() {
		m.err = m.cmd.Wait()
		close(m.done)
	}()
	err = b.plug(m.cmd.Process.Pid)
	if err == nil {
		err = json.NewEncoder(in).Encode(order{Interface: card, Task: text})
	}
	if err != nil {
		m.Kill()
		return nil, err
	}
	return m, in.Close()
}

// Done is closed when the machine has ended.
func (m *Machine) Done() <-chan struct{} { return m.done }

// Pid is the process id, by which `nsenter` finds the machine's network.
func (m *Machine) Pid() int { return m.cmd.Process.Pid }

// Err says how it ended, after Done.
func (m *Machine) Err() error { return m.err }

// Await polls until ready; it fails when the machine ends before.
func (m *Machine) Await(ctx context.Context, ready func() bool) error {
	for !ready() {
		select {
		case <-m.done:
			return fmt.Errorf("the machine has ended: %w", m.err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// Stop asks the machine to end, and ends it after the grace period.
func (m *Machine) Stop(grace time.Duration) {
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.done:
	case <-time.After(grace):
		m.Kill()
	}
}

// Kill ends the machine at once.
func (m *Machine) Kill() {
	_ = m.cmd.Process.Kill()
	<-m.done
}

// Boot is the beginning of a machine's main: it waits for the cable, configures
// the interface and decodes the task.
func Boot(in io.Reader, task any) error {
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("nobody has started this machine: %w", err)
	}
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("no cable: %w", err)
	}
	errs := []error{up("lo"), netlink.LinkSetUp(link)}
	for _, address := range o.Interface.Addresses {
		errs = append(errs, addAddress(link, address))
	}
	for _, neighbour := range o.Interface.Neighbours {
		errs = append(errs, addRoute(link, neighbour, ""))
	}
	if o.Interface.Gateway != "" {
		errs = append(errs, addRoute(link, "0.0.0.0/0", o.Interface.Gateway))
	}
	return errors.Join(append(errs, json.Unmarshal(o.Task, task))...)
}
