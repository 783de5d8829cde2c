package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/bench"
)

var (
	//go:embed main.tf
	configuration string
	//go:embed workload.yaml
	workload string
)

// lab is a mesh with a gateway and two workloads.
type lab struct {
	*bench.Bench
	namespaces int
	// source, bystander and gateway are the pods whose proxies are looked at.
	source, bystander, gateway corev1.Pod
}

// newLab starts everything. The caller closes the lab, also after an error.
func newLab(ctx context.Context, root string, namespaces int) (*lab, error) {
	var teams strings.Builder
	for i := range namespaces {
		_, _ = fmt.Fprintf(&teams, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: team-%03d, labels: {istio-injection: enabled}}\n", i)
	}
	b, err := bench.Start(ctx, root, teams.String()+"---\n"+workload, configuration)
	return &lab{Bench: b, namespaces: namespaces}, err
}

// apply applies main.tf for a number of policies and returns the ports that the gateway
// opens for them, and how long it took.
func (l *lab) apply(ctx context.Context, policies int) ([]int, time.Duration, error) {
	variables := []string{fmt.Sprintf("-var=policies=%d", policies), fmt.Sprintf("-var=namespaces=%d", l.namespaces)}
	began := time.Now()
	if _, err := l.Terraform(ctx, append([]string{"apply", "-no-color", "-auto-approve"}, variables...)...); err != nil {
		return nil, 0, err
	}
	took := time.Since(began)
	output, err := l.Terraform(ctx, "output", "-no-color", "-json", "ports")
	if err != nil {
		return nil, 0, err
	}
	var ports []int
	return ports, took, json.Unmarshal([]byte(output), &ports)
}

// pods waits for the pods that are looked at.
func (l *lab) pods(ctx context.Context) (err error) {
	if l.source, err = l.Pod(ctx, "team-000", "app"); err != nil {
		return err
	}
	if l.bystander, err = l.Pod(ctx, "bystander", "app"); err != nil {
		return err
	}
	l.gateway, err = l.Pod(ctx, "istio-egress", "egressgateway-a")
	return err
}

// ask returns a page of the Envoy of a pod, from its administration interface.
func (l *lab) ask(ctx context.Context, pod corev1.Pod, page string) ([]byte, error) {
	command, err := l.Within(ctx, pod, getArgument, "http://127.0.0.1:15000/"+page)
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s of %s/%s: %w\n%s", page, pod.Namespace, pod.Name, err, complaint.String())
	}
	return output, nil
}
