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
)

// lab is a mesh with a gateway and two workloads.
type lab struct {
	controlPlane *testbed.ControlPlane
	mesh         *mesh.Mesh
	workspace    *workspace.Workspace
	dir          string
	namespaces   int
	// source, bystander and gateway are the pods whose proxies are looked at.
	source, bystander, gateway corev1.Pod
}

// newLab starts everything. The caller closes the lab, also after an error.
func newLab(ctx context.Context, root string, namespaces int) (l *lab, err error) {
	l = &lab{namespaces: namespaces}
	if l.dir, err = os.MkdirTemp("", "istio-egress-gateway-"); err != nil {
		return l, err
	}
	if l.controlPlane, err = testbed.Start(ctx, mesh.ControlPlane()); err != nil {
		return l, err
	}
	if l.mesh, err = mesh.Start(ctx, l.controlPlane); err != nil {
		return l, err
	}
	var teams strings.Builder
	for i := range namespaces {
		_, _ = fmt.Fprintf(&teams, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team-%03d, labels: {istio-injection: enabled}}\n", i)
	}
	if _, err = l.kubectl(ctx, teams.String()+"---\n"+workload, "apply", "-f", "-"); err != nil {
		return l, err
	}
	cli, err := testbed.Terraform(ctx)
	if err != nil {
		return l, err
	}
	provider, err := workspace.BuildProvider(ctx, root, l.dir)
	if err != nil {
		return l, err
	}
	if l.workspace, err = workspace.New(l.dir, cli, provider, "KUBE_CONFIG_PATH="+l.controlPlane.Kubeconfig); err != nil {
		return l, err
	}
	return l, l.workspace.WriteFile("main.tf", configuration)
}

func (l *lab) close() error {
	var err error
	if l.controlPlane != nil {
		err = l.controlPlane.Stop()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// apply applies main.tf for a number of policies and returns the ports that the gateway
// opens for them, and how long it took.
func (l *lab) apply(ctx context.Context, policies int) ([]int, time.Duration, error) {
	variables := []string{fmt.Sprintf("-var=policies=%d", policies), fmt.Sprintf("-var=namespaces=%d", l.namespaces)}
	began := time.Now()
	if _, err := l.terraform(ctx, append([]string{"apply", "-no-color", "-auto-approve"}, variables...)...); err != nil {
		return nil, 0, err
	}
	took := time.Since(began)
	output, err := l.terraform(ctx, "output", "-no-color", "-json", "ports")
	if err != nil {
		return nil, 0, err
	}
	var ports []int
	return ports, took, json.Unmarshal([]byte(output), &ports)
}

func (l *lab) terraform(ctx context.Context, args ...string) (string, error) {
	result, err := l.workspace.Run(ctx, args...)
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("terraform %s: exit code %d\n%s", args[0], result.ExitCode, result.Output)
	}
	return result.Output, err
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

// pods waits for the pods that are looked at.
func (l *lab) pods(ctx context.Context) error {
	for _, wanted := range []struct {
		namespace, deployment string
		pod                   *corev1.Pod
	}{
		{"team-000", "app", &l.source}, {"bystander", "app", &l.bystander}, {"istio-egress", "egressgateway-a", &l.gateway},
	} {
		if _, err := l.kubectl(ctx, "", "-n", wanted.namespace, "wait", "--for=condition=Available", "--timeout=5m", "deployment", wanted.deployment); err != nil {
			return err
		}
		output, err := l.kubectl(ctx, "", "-n", wanted.namespace, "get", "pods", "-o", "json")
		if err != nil {
			return err
		}
		var list corev1.PodList
		if err := json.Unmarshal(output, &list); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("namespace %s should have one pod and has %d", wanted.namespace, len(list.Items))
		}
		*wanted.pod = list.Items[0]
	}
	return nil
}

// ask returns a page of the Envoy of a pod, from its administration interface.
func (l *lab) ask(ctx context.Context, pod corev1.Pod, page string) ([]byte, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := append(strings.Fields(l.mesh.Within(pod.UID)), executable, getArgument, "http://127.0.0.1:15000/"+page)
	var complaint bytes.Buffer
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s of %s/%s: %w\n%s", page, pod.Namespace, pod.Name, err, complaint.String())
	}
	return output, nil
}
