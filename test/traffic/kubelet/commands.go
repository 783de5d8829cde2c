package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

const proxyContainer = "istio-proxy"

// commands returns what runs in the pod: the rules first, then its proxy.
func (p *pod) commands(ctx context.Context) (init, run []sandbox.Command, err error) {
	containers := append([]corev1.Container{}, p.object.Spec.InitContainers...)
	for _, container := range append(containers, p.object.Spec.Containers...) {
		switch {
		case container.Name == proxyContainer:
			command, err := p.proxy(ctx, container)
			if err != nil {
				return nil, nil, fmt.Errorf("container %s: %w", container.Name, err)
			}
			run = append(run, command)
		case runsOnce(container):
			init = append(init, sandbox.Command{
				Name: container.Name, Dir: p.dir, Env: []string{"PATH=" + os.Getenv("PATH")},
				Argv: append([]string{p.kubelet.Agent}, container.Args...),
				Log:  p.kubelet.LogFile(p.object.UID, container.Name),
			})
		}
	}
	return init, run, nil
}

// runsOnce reports whether a container prepares the pod's network: the only kind of init
// container here that ends.
func runsOnce(container corev1.Container) bool {
	return len(container.Args) > 0 && container.Args[0] == "istio-iptables"
}

// proxy is the istio-proxy container as a process. pilot-agent names its files by
// paths relative to its working directory, the root in a container.
func (p *pod) proxy(ctx context.Context, container corev1.Container) (sandbox.Command, error) {
	root := filepath.Join(p.dir, container.Name)
	if err := os.Mkdir(root, 0o755); err != nil {
		return sandbox.Command{}, err
	}
	if err := p.mountVolumes(ctx, container, root); err != nil {
		return sandbox.Command{}, err
	}
	if err := giveTo(root, fabric.ProxyUser); err != nil {
		return sandbox.Command{}, err
	}
	env, err := p.environment(container)
	if err != nil {
		return sandbox.Command{}, err
	}
	argv := append([]string{p.kubelet.Agent}, expandAll(container.Args, env)...)
	if env, err = p.withoutImage(env); err != nil {
		return sandbox.Command{}, err
	}
	return sandbox.Command{
		Name: container.Name, Argv: argv, Env: env.list(), Dir: root, User: fabric.ProxyUser,
		Log: p.kubelet.LogFile(p.object.UID, container.Name),
	}, nil
}

func giveTo(root string, user int) error {
	return filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syscall.Lchown(path, user, user)
	})
}
