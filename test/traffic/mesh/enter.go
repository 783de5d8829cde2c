package mesh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/outside"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// ground is what every mesh of this process stands on.
var ground struct {
	dir    string
	way    string
	bridge *fabric.Bridge
}

// Play does the work of a machine of the mesh, and ends, in a process that is one. In
// any other it does nothing.
func Play() {
	switch fabric.Role() {
	case sandbox.Role:
		finish(sandbox.Main())
	case outside.Role:
		finish(outside.Main())
	}
}

func finish(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "traffic lab:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Enter returns in a process that runs in namespaces of its own: in the one that the
// user has started, it starts that process and ends with its exit code. There is no
// network inside, so that what is needed there, cli and the provider of the checkout at
// root among it, is fetched and built before.
func Enter(ctx context.Context, root string, cli testbed.Tool) error {
	if !fabric.Inside() {
		if err := prepare(ctx, root, cli); err != nil {
			return err
		}
		code, err := fabric.Enter()
		if err != nil {
			return fmt.Errorf("enter the lab: %w", err)
		}
		os.Exit(code)
	}
	var err error
	if ground.way, err = fabric.Way(); err != nil {
		return err
	}
	if ground.dir, err = fabric.Mount(fabric.Host); err != nil {
		return err
	}
	ground.bridge, err = fabric.NewBridge()
	return err
}

// Way is the command that leads a shell of the machine to where Enter has led this
// process.
func Way() string { return ground.way }

func prepare(ctx context.Context, root string, cli testbed.Tool) error {
	_, err := testbed.Ensure(ctx, os.Stderr, testbed.Kubernetes, testbed.Istio, testbed.PilotAgent, testbed.EnvoyProxy, cli)
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
	_, err = workspace.BuildProvider(ctx, root, dir)
	return err
}

// ControlPlane is how the control plane of a mesh is started.
func ControlPlane() testbed.Options {
	return testbed.Options{
		NoKwok: true, BindAddress: fabric.Host, AdvertiseAddress: fabric.Host,
		IstiodEnv: testbed.EnvoyWithoutIstioFilters(),
	}
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
