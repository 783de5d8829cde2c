package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Workspace is a directory with a configuration, a state and a CLI configuration
// that finds the provider without a registry.
type Workspace struct {
	// Dir holds the configuration and the state.
	Dir string
	// Executable is the path of terraform or tofu.
	Executable string
	// Env is the whole environment of the executable.
	Env []string
	// Echo, if set, receives standard output and standard error as they come.
	Echo io.Writer
	// Attributes, if set, are how the executable is started: as another user, say.
	Attributes syscall.SysProcAttr
}

// New returns a workspace in dir, which must exist, in which no `init` is needed. provider is the executable
// that BuildProvider returned; further environment variables are KEY=value.
//
// Variables of the caller's environment that would change what the CLI or the
// provider does (TF_*, KUBE_*, KUBECONFIG) are not handed on.
func New(dir, executable, provider string, env ...string) (*Workspace, error) {
	return newWorkspace(dir, executable, env, fmt.Sprintf("dev_overrides {\n    %q = %q\n  }\n  direct {}", source, filepath.Dir(provider)))
}

// NewInstalled is New for a workspace in which `init` installs the provider, as it
// does for users: from a mirror that this function lays out beside the executable.
func NewInstalled(dir, executable, provider string, env ...string) (*Workspace, error) {
	mirror := filepath.Join(filepath.Dir(provider), "mirror")
	for _, registry := range registries {
		at := filepath.Join(mirror, registry, filepath.FromSlash(source), mirrorVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return nil, err
		}
		// A mirror is made once for an executable.
		if err := os.Link(provider, filepath.Join(at, filepath.Base(provider)+"_v"+mirrorVersion)); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return newWorkspace(dir, executable, env, fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", mirror))
}

// NewFromArchive is New for a workspace in which `init` installs the provider out of a
// release's archive, <project>_<version>_<os>_<architecture>.zip: from a mirror of the
// packed layout that this function makes in dir.
func NewFromArchive(dir, executable, archive string, env ...string) (*Workspace, error) {
	content, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	mirror := filepath.Join(dir, "mirror")
	for _, registry := range registries {
		at := filepath.Join(mirror, registry, filepath.FromSlash(source))
		if err := os.MkdirAll(at, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(at, filepath.Base(archive)), content, 0o644); err != nil {
			return nil, err
		}
	}
	return newWorkspace(dir, executable, env, fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", mirror))
}

// registries are the default hosts of a provider's address.
var registries = []string{"registry.terraform.io", "registry.opentofu.org"}

const (
	source = "meshegress/istio"
	// mirrorVersion is what a build of a checkout calls itself.
	mirrorVersion = "0.0.1"
)

// CLIConfig is the CLI configuration's name in the workspace's directory.
const CLIConfig = "cli.tfrc"

func newWorkspace(dir, executable string, env []string, installation string) (*Workspace, error) {
	cliConfig := filepath.Join(dir, CLIConfig)
	text := "provider_installation {\n  " + installation + "\n}\n"
	if err := os.WriteFile(cliConfig, []byte(text), 0o644); err != nil {
		return nil, err
	}
	w := &Workspace{Dir: dir, Executable: executable}
	for _, pair := range os.Environ() {
		if !changesBehaviour(pair) {
			w.Env = append(w.Env, pair)
		}
	}
	w.Env = append(w.Env, "TF_CLI_CONFIG_FILE="+cliConfig, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TF_INPUT=0")
	w.Env = append(w.Env, env...)
	return w, nil
}

func changesBehaviour(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "KUBE_") || name == "KUBECONFIG"
}

// BuildProvider builds the provider of the checkout at root into dir and
// returns the executable's path.
func BuildProvider(ctx context.Context, root, dir string) (string, error) {
	target := filepath.Join(dir, "terraform-provider-istio")
	build := exec.CommandContext(ctx, "go", "build", "-o", target, ".")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the provider: %w\n%s", err, output)
	}
	return target, nil
}

// WriteFile writes one file of the configuration.
func (w *Workspace) WriteFile(name, text string) error {
	return os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o644)
}

// Result is how one command ended.
type Result struct {
	ExitCode int
	Stdout   string
	// Output is standard output and standard error in the order of writing.
	Output string
	Wall   time.Duration
	// CPU is the processor time of the CLI and of the processes that it waited
	// for, the provider among them.
	CPU time.Duration
}

// Run runs the executable. An exit code other than 0 is no error: it stands in
// the result. -no-color is added where the command knows it.
func (w *Workspace) Run(ctx context.Context, args ...string) (Result, error) {
	process, err := w.Start(ctx, args...)
	if err != nil {
		return Result{}, err
	}
	return process.Wait()
}

// Process is a command that runs.
type Process struct {
	command        *exec.Cmd
	stdout, output *bytes.Buffer
	began          time.Time
}

// Start starts the executable and does not wait for it.
func (w *Workspace) Start(ctx context.Context, args ...string) (*Process, error) {
	p := &Process{stdout: &bytes.Buffer{}, output: &bytes.Buffer{}, began: time.Now()}
	p.command = exec.CommandContext(ctx, w.Executable, args...)
	p.command.Dir, p.command.Env = w.Dir, w.Env
	// The first signal that an ended context sends is the one that lets
	// Terraform write its state; Kill follows after WaitDelay.
	p.command.Cancel = func() error { return p.command.Process.Signal(os.Interrupt) }
	p.command.WaitDelay = 30 * time.Second
	// A process group of its own: Ctrl-C in the caller's terminal must not
	// reach the CLI twice, and must not reach the provider at all.
	attributes := w.Attributes
	attributes.Setpgid = true
	p.command.SysProcAttr = &attributes
	echo := io.Discard
	if w.Echo != nil {
		echo = w.Echo
	}
	shared := &lockedWriter{to: io.MultiWriter(p.output, echo)}
	p.command.Stdout = io.MultiWriter(p.stdout, shared)
	p.command.Stderr = shared
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("%s %s: %w", w.Executable, strings.Join(args, " "), err)
	}
	return p, nil
}

// Signal sends a signal to the CLI, not to the provider.
func (p *Process) Signal(signal os.Signal) error { return p.command.Process.Signal(signal) }

// Pid is the process id of the CLI.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Wait waits until the command has ended.
func (p *Process) Wait() (Result, error) {
	err := p.command.Wait()
	result := Result{
		ExitCode: p.command.ProcessState.ExitCode(),
		Stdout:   p.stdout.String(),
		Output:   p.output.String(),
		Wall:     time.Since(p.began),
		CPU:      p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime(),
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result, err
	}
	return result, nil
}
