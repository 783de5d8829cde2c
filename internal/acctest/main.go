package acctest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/leaks"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// environment is a running control plane with the published RBAC in it, and
// the CLI that drives the tests.
type environment struct {
	controlPlane *testbed.ControlPlane
	admin        *rest.Config
	account      account
	cli          CLI
	dir          string
}

// lazily is an environment that the first test that asks for it starts, so that
// a run of unit tests alone costs nothing.
type lazily struct {
	once sync.Once
	env  *environment
	err  error
}

// shared is the environment of the running test binary, anywhere the cluster of
// KUBECONFIG.
var shared, anywhere lazily

// sharedOptions is what the shared environment's control plane is started with.
var sharedOptions testbed.Options

// MainOn is Main for a package whose shared control plane is not the usual one. Whoever
// runs more beside it, to the end of the process, answers for the goroutines himself.
func MainOn(m *testing.M, options testbed.Options) {
	sharedOptions = options
	prepare()
	code := m.Run()
	cleanUp()
	os.Exit(code)
}

// Main runs the tests of a package and ends the control plane that they
// started. Goroutines that are left then fail the package, but not where a cluster of
// KUBECONFIG goes on. Call it from TestMain.
func Main(m *testing.M) {
	prepare()
	if os.Getenv("KUBECONFIG") == "" {
		os.Exit(leaks.Check(m.Run, cleanUp))
	}
	// A cluster that goes on keeps its connections, for a next request.
	code := m.Run()
	cleanUp()
	os.Exit(code)
}

// prepare makes a process one that tests may run in, and that cleans up when a signal
// ends it.
func prepare() {
	// A developer's own settings must not decide what a test connects to.
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "KUBE_") {
			_ = os.Unsetenv(name)
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cleanUp()
		os.Exit(1)
	}()
}

// start starts what is not there yet. The test fails if it cannot.
func (l *lazily) start(t *testing.T, options testbed.Options) *environment {
	t.Helper()
	l.once.Do(func() { l.env, l.err = newEnvironment(context.Background(), options) })
	if l.err != nil {
		t.Fatalf("acctest: %v", l.err)
	}
	return l.env
}

func newEnvironment(ctx context.Context, options testbed.Options) (_ *environment, err error) {
	env := &environment{}
	defer func() {
		if err != nil {
			env.stop()
		}
	}()
	if env.cli, err = findCLI(ctx, os.Getenv("ACCTEST_CLI")); err != nil {
		return nil, err
	}
	env.cli.use()
	if env.dir, err = os.MkdirTemp("", "acctest-"); err != nil {
		return nil, err
	}
	options.IstioCRDs = os.Getenv("ACCTEST_ISTIO_CRDS")
	if env.controlPlane, err = testbed.Start(ctx, options); err != nil {
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	env.admin = env.controlPlane.RESTConfig
	env.account, err = newAccount(ctx, env.admin, env.dir)
	return env, err
}

func cleanUp() {
	for _, l := range []*lazily{&shared, &anywhere} {
		if l.env != nil {
			l.env.stop()
		}
	}
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}

func (e *environment) stop() {
	if e.controlPlane != nil {
		if e.controlPlane.External {
			// Tests of another package may need it still.
			fmt.Fprintln(os.Stderr, "acctest: examples/rbac/cluster.yaml stays in the cluster of KUBECONFIG")
		}
		if err := e.controlPlane.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "acctest: stopping the control plane:", err)
		}
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}
