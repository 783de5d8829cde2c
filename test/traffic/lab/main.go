package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/outside"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// ground is what every lab of this process stands on.
var ground struct {
	missing string // why there is none
	dir     string
	bridge  *fabric.Bridge
}

// Main runs the tests of a package inside the lab's namespaces. Call it from
// TestMain, first thing: pods are processes of the same executable.
func Main(m *testing.M) {
	switch fabric.Role() {
	case sandbox.Role:
		finish(sandbox.Main())
	case outside.Role:
		finish(outside.Main())
	}
	if ground.missing = fabric.Missing(); ground.missing != "" || os.Getenv("TF_ACC") == "" {
		acctest.Main(m) // every test says why it is skipped
	}
	if !fabric.Inside() {
		if err := prepare(context.Background()); err != nil {
			finish(err)
		}
		code, err := fabric.Enter()
		if err != nil {
			finish(fmt.Errorf("enter the lab: %w", err))
		}
		os.Exit(code)
	}
	if err := settle(); err != nil {
		finish(err)
	}
	acctest.MainOn(m, testbed.Options{
		NoKwok: true, BindAddress: fabric.Host, AdvertiseAddress: fabric.Host,
		IstiodEnv: testbed.EnvoyWithoutIstioFilters(),
	})
}

func finish(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "traffic lab:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// prepare fetches and builds what cannot be had inside, where there is no network.
func prepare(ctx context.Context) error {
	_, err := testbed.Ensure(ctx, os.Stderr, testbed.Kubernetes, testbed.Istio, testbed.PilotAgent, testbed.EnvoyProxy, testbed.TerraformCLI)
	if err != nil {
		return err
	}
	if _, err := testbed.EnvoyBootstrap(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "traffic-provider-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Warms the compiler's cache and that of modules; built again inside.
	_, err = workspace.BuildProvider(ctx, acctest.Root(), dir)
	return err
}

// settle makes the process at home in its new namespaces.
func settle() error {
	var err error
	if ground.dir, err = fabric.Mount(fabric.Host); err != nil {
		return err
	}
	ground.bridge, err = fabric.NewBridge()
	return err
}

// install puts the executables where user 1337 may run them: the user's cache
// directory need not be open to others.
func install(ctx context.Context, dir string) (agent, envoy, bootstrap string, err error) {
	paths, err := testbed.Ensure(ctx, os.Stderr, testbed.PilotAgent, testbed.EnvoyProxy)
	if err != nil {
		return "", "", "", err
	}
	template, err := testbed.EnvoyBootstrap(ctx)
	if err != nil {
		return "", "", "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", "", err
	}
	agent, envoy, bootstrap = filepath.Join(dir, "pilot-agent"), filepath.Join(dir, "envoy"), filepath.Join(dir, "envoy_bootstrap.json")
	return agent, envoy, bootstrap, errors.Join(
		show(paths[testbed.PilotAgent], agent), show(paths[testbed.EnvoyProxy], envoy), show(template, bootstrap))
}

func show(file, at string) error {
	if err := os.WriteFile(at, nil, 0o755); err != nil {
		return err
	}
	return fabric.Show(file, at)
}

// copyFile is for logs that are kept.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
