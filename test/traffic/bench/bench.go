// Package bench is what the commands of this module measure on: a mesh with its
// control plane, workloads, and a workspace with the provider of the checkout.
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"

	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

// Bench runs until it is closed.
type Bench struct {
	// Mesh runs the pods of the control plane.
	Mesh *mesh.Mesh

	controlPlane *testbed.ControlPlane
	workspace    *workspace.Workspace
	dir          string
}

// Start starts a mesh with these workloads, and a workspace whose main.tf is the
// configuration, in the network that mesh.Enter has made. The caller closes the
// bench, also after an error.
func Start(ctx context.Context, root, workloads, configuration string) (b *Bench, err error) {
	b = &Bench{}
	if b.dir, err = os.MkdirTemp("", "istio-egress-traffic-"); err != nil {
		return b, err
	}
	if b.controlPlane, err = testbed.Start(ctx, mesh.ControlPlane()); err != nil {
		return b, err
	}
	if b.Mesh, err = mesh.Start(ctx, b.controlPlane); err != nil {
		return b, err
	}
	if err = b.Apply(ctx, workloads); err != nil {
		return b, err
	}
	cli, err := testbed.Terraform(ctx)
	if err != nil {
		return b, err
	}
	provider, err := workspace.BuildProvider(ctx, root, b.dir)
	if err != nil {
		return b, err
	}
	if b.workspace, err = workspace.New(b.dir, cli, provider, "KUBE_CONFIG_PATH="+b.controlPlane.Kubeconfig); err != nil {
		return b, err
	}
	return b, b.workspace.WriteFile("main.tf", configuration)
}

// Close ends what was started.
func (b *Bench) Close() error {
	var err error
	if b.controlPlane != nil {
		err = b.controlPlane.Stop()
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// Apply applies manifests with kubectl.
func (b *Bench) Apply(ctx context.Context, manifests string) error {
	_, err := b.kubectl(ctx, manifests, "apply", "-f", "-")
	return err
}

// Terraform runs the CLI in the workspace and returns its output.
func (b *Bench) Terraform(ctx context.Context, args ...string) (string, error) {
	result, err := b.workspace.Run(ctx, args...)
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("terraform %s: exit code %d\n%s", args[0], result.ExitCode, result.Output)
	}
	return result.Output, err
}

// Pod returns the pod of a Deployment, the only one of its namespace, when it is
// available.
func (b *Bench) Pod(ctx context.Context, namespace, deployment string) (corev1.Pod, error) {
	if _, err := b.kubectl(ctx, "", "-n", namespace, "wait", "--for=condition=Available", "--timeout=5m", "deployment", deployment); err != nil {
		return corev1.Pod{}, err
	}
	output, err := b.kubectl(ctx, "", "-n", namespace, "get", "pods", "-o", "json")
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

// Within returns the command that runs this executable in the network of a pod.
func (b *Bench) Within(ctx context.Context, pod corev1.Pod, args ...string) (*exec.Cmd, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := append(append(strings.Fields(b.Mesh.Within(pod.UID)), executable), args...)
	return exec.CommandContext(ctx, argv[0], argv[1:]...), nil
}

func (b *Bench) kubectl(ctx context.Context, input string, args ...string) ([]byte, error) {
	kubectl, err := testbed.Kubectl(ctx)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, kubectl, args...)
	command.Env = []string{"KUBECONFIG=" + b.controlPlane.Kubeconfig, "HOME=" + b.dir}
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("kubectl %v: %w\n%s", args, err, output)
	}
	return output, nil
}
