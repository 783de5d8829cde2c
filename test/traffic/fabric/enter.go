package fabric

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
)

// inside marks the process that Enter has started.
const inside = "TRAFFIC_FABRIC"

// ProxyUser is who Istio's proxy runs as: a pod's rules let its packets through
// (istio.io/istio/pkg/config/constants: DefaultProxyUID).
const ProxyUser = 1337

// Missing says what this machine lacks for the lab; "" when it lacks nothing.
func Missing() string {
	if os.Geteuid() != 0 {
		return "the traffic lab needs root, or the root of a user namespace that has more users than this one: " +
			"unshare --map-root-user --map-auto make test-traffic (util-linux 2.38, package uidmap, and a range of ids for the user in /etc/subuid and /etc/subgid)"
	}
	if _, err := exec.LookPath("iptables-restore"); err != nil {
		return "the traffic lab needs iptables, with which pods send their traffic through Envoy (package iptables)"
	}
	probe := exec.Command("true")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if err := probe.Run(); err != nil {
		return fmt.Sprintf("the traffic lab needs network namespaces, which root may not make here (%v; a container has to be a privileged one)", err)
	}
	probe = exec.Command("true")
	probe.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ProxyUser, Gid: ProxyUser}}
	if err := probe.Run(); err != nil {
		return fmt.Sprintf("the traffic lab runs proxies as user %d, whom this user namespace does not have (%v): map a range of ids into it, as unshare --map-auto does", ProxyUser, err)
	}
	return ""
}

// namespaces are those that the lab does not share with the rest of the machine.
const namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS

// Inside reports whether this process runs in the lab's namespaces.
func Inside() bool { return os.Getenv(inside) != "" }

// Enter runs this executable again, with the same arguments, inside, and returns
// its exit code. Signals that ask this process to end go on to that one.
func Enter() (int, error) {
	executable, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// The child must not outlive us; the kernel watches the thread that starts it.
	runtime.LockOSThread()
	cmd := exec.Command(executable, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: namespaces,
		Pdeathsig:  syscall.SIGKILL,
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 1, err
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// Way returns the command that leads a shell of the machine into the lab. It works
// before Mount only: /proc still tells what this process is called outside.
func Way() (string, error) {
	pid, err := os.Readlink("/proc/self")
	return "sudo nsenter --mount --net --pid --target " + pid, err
}

// Mount gives the lab its own /proc, its name server, and a folder in memory that
// is gone with the lab. Every temporary file of the process goes there.
func Mount(nameserver string) (folder string, err error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return "", fmt.Errorf("keep mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return "", fmt.Errorf("mount /proc: %w", err)
	}
	folder = filepath.Join(os.TempDir(), "terraform-provider-istio-traffic")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=0755"); err != nil {
		return "", fmt.Errorf("mount the lab's folder: %w", err)
	}
	resolv := filepath.Join(folder, "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver "+nameserver+"\n"), 0o644); err != nil {
		return "", err
	}
	if err := Show(resolv, "/etc/resolv.conf"); err != nil {
		return "", err
	}
	return folder, os.Setenv("TMPDIR", folder)
}

// Show lets a file appear at another path, inside the lab only.
func Show(file, at string) error {
	at, err := filepath.EvalSymlinks(at)
	if err != nil {
		return err
	}
	if err := syscall.Mount(file, at, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s at %s: %w", file, at, err)
	}
	return nil
}
