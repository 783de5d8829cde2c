package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"

	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

var (
	//go:embed main.tf
	configuration string
	//go:embed workload.yaml
	workload string
	//go:embed classic.yaml
	classic string
)

// patience bounds the wait for what the mesh has to learn.
const patience = time.Minute

// lab is a mesh in which all ways lead from the caller to the server.
type lab struct {
	controlPlane    *testbed.ControlPlane
	mesh            *mesh.Mesh
	dir             string
	caller, gateway corev1.Pod
}

// newLab starts everything. The caller closes the lab, also after an error.
func newLab(ctx context.Context, root string) (l *lab, err error) {
	l = &lab{}
	if l.dir, err = os.MkdirTemp("", "istio-egress-ratios-"); err != nil {
		return l, err
	}
	if l.controlPlane, err = testbed.Start(ctx, mesh.ControlPlane()); err != nil {
		return l, err
	}
	if l.mesh, err = mesh.Start(ctx, l.controlPlane); err != nil {
		return l, err
	}
	if _, err = l.kubectl(ctx, workload, "apply", "-f", "-"); err != nil {
		return l, err
	}
	if err = l.terraform(ctx, root); err != nil {
		return l, err
	}
	if _, err = l.kubectl(ctx, classic, "apply", "-f", "-"); err != nil {
		return l, err
	}
	if l.caller, err = l.pod(ctx, "mytest", "sleep"); err != nil {
		return l, err
	}
	if l.gateway, err = l.pod(ctx, "istio-egress", "egressgateway-a"); err != nil {
		return l, err
	}
	return l, l.ready(ctx)
}

func (l *lab) close() error {
	var err error
	if l.controlPlane != nil {
		err = l.controlPlane.Stop()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// terraform applies main.tf with the provider of the checkout.
func (l *lab) terraform(ctx context.Context, root string) error {
	cli, err := testbed.Terraform(ctx)
	if err != nil {
		return err
	}
	provider, err := workspace.BuildProvider(ctx, root, l.dir)
	if err != nil {
		return err
	}
	w, err := workspace.New(l.dir, cli, provider, "KUBE_CONFIG_PATH="+l.controlPlane.Kubeconfig)
	if err != nil {
		return err
	}
	if err := w.WriteFile("main.tf", configuration); err != nil {
		return err
	}
	result, err := w.Run(ctx, "apply", "-no-color", "-auto-approve")
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("terraform apply: exit code %d\n%s", result.ExitCode, result.Output)
	}
	return err
}

func (l *lab) kubectl(ctx context.Context, input string, args ...string) ([]byte, error) {
	kubectl, err := testbed.Kubectl(ctx)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, kubectl, args...)
	command.Env = []string{"KUBECONFIG=" + l.controlPlane.Kubeconfig, "HOME=" + l.dir}
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("kubectl %v: %w\n%s", args, err, output)
	}
	return output, nil
}

// pod returns the pod of a Deployment when it is available.
func (l *lab) pod(ctx context.Context, namespace, deployment string) (corev1.Pod, error) {
	if _, err := l.kubectl(ctx, "", "-n", namespace, "wait", "--for=condition=Available", "--timeout=2m", "deployment", deployment); err != nil {
		return corev1.Pod{}, err
	}
	output, err := l.kubectl(ctx, "", "-n", namespace, "get", "pods", "-o", "json")
	if err != nil {
		return corev1.Pod{}, err
	}
	var list corev1.PodList
	if err := json.Unmarshal(output, &list); err != nil {
		return corev1.Pod{}, err
	}
	if len(list.Items) != 1 {
		return corev1.Pod{}, fmt.Errorf("namespace %s should have one pod and has %d", namespace, len(list.Items))
	}
	return list.Items[0], nil
}

// ready waits until calls go all ways: the mesh takes a moment to learn what was
// applied.
func (l *lab) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, group := range ways {
		for _, w := range group {
			for {
				_, err := l.call(ctx, w, together, 0)
				if err == nil {
					break
				}
				select {
				case <-ctx.Done():
					return err
				case <-time.After(100 * time.Millisecond):
				}
			}
		}
	}
	return nil
}

// call lets callers make calls, in a process in the network of the caller's pod.
func (l *lab) call(ctx context.Context, w *way, callers int, span time.Duration) (made calls, err error) {
	o := order{URL: w.protocol + "://" + w.host, Status: w.status, Peer: l.caller.Status.PodIP, Callers: callers, Span: span}
	if w.gateway {
		o.Peer = l.gateway.Status.PodIP
	}
	text, err := json.Marshal(o)
	if err != nil {
		return made, err
	}
	executable, err := os.Executable()
	if err != nil {
		return made, err
	}
	argv := append(strings.Fields(l.mesh.Within(l.caller.UID)), executable, callerArgument)
	var output, complaint bytes.Buffer
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Env = []string{} // no SSL_CERT_FILE: the mesh shows the servers' authority in the system's place
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), &output, &complaint
	if err := command.Run(); err != nil {
		return made, fmt.Errorf("%s, %s: %w\n%s", w.protocol, w.name, err, complaint.String())
	}
	return made, json.Unmarshal(output.Bytes(), &made)
}
