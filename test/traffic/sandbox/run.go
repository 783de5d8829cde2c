package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// Main is the pod's first process. It returns when the pod has been asked to end
// and its proxy has, or when one of its processes ends by itself.
func Main() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	var task Task
	if err := fabric.Boot(os.Stdin, &task); err != nil {
		return err
	}
	for name, value := range task.Sysctls {
		path := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
			return fmt.Errorf("sysctl %s: %w", name, err)
		}
	}
	for _, command := range task.Init {
		cmd, err := command.start()
		if err == nil {
			err = cmd.Wait()
		}
		if err != nil {
			return fmt.Errorf("init container %s: %w (log: %s)", command.Name, err, command.Log)
		}
	}
	ended := make(chan error, len(task.Run))
	var running []*exec.Cmd
	for _, command := range task.Run {
		cmd, err := command.start()
		if err != nil {
			return err
		}
		running = append(running, cmd)
		go func() { ended <- fmt.Errorf("container %s has ended: %w", command.Name, errOrEnd(cmd.Wait())) }()
	}
	listener, err := net.Listen("unix", task.Socket)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, newWorkload(task)) }()

	select {
	case err := <-ended:
		return err
	case <-stop:
	}
	for _, cmd := range running {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for range running {
		fmt.Fprintln(os.Stderr, <-ended)
	}
	return nil
}

var errEnd = errors.New("without an error")

func errOrEnd(err error) error {
	if err == nil {
		return errEnd
	}
	return err
}

func (c Command) start() (*exec.Cmd, error) {
	// Envoy opens /dev/stdout once more, by its path: the file has to be its user's.
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	if err := log.Chown(int(c.User), int(c.User)); err != nil {
		return nil, err
	}
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Env, c.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.User, Gid: c.User}}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("container %s: %w", c.Name, err)
	}
	return cmd, nil
}
