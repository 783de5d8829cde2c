package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// studio is a directory with the example's configuration, and the provider of the
// checkout.
type studio struct {
	root, dir     string
	configuration string
	workspace     *workspace.Workspace
}

// block is what the example leaves to its reader.
const block = `terraform {
  required_providers {
    istio = { source = "meshegress/istio" }
  }
}

provider "istio" {}
`

// inStudio draws in a directory that goes away afterwards.
func inStudio(ctx context.Context, root string, draw func(context.Context, *studio) error) (err error) {
	s := &studio{root: root}
	if s.dir, err = os.MkdirTemp("", "istio-egress-pictures-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	text, err := os.ReadFile(filepath.Join(root, example, "main.tf"))
	if err != nil {
		return err
	}
	s.configuration = string(text)
	paths, err := testbed.Ensure(ctx, os.Stderr, testbed.TerraformCLI)
	if err != nil {
		return err
	}
	provider, err := workspace.BuildProvider(ctx, root, s.dir)
	if err != nil {
		return err
	}
	if s.workspace, err = workspace.New(s.dir, paths[testbed.TerraformCLI], provider); err != nil {
		return err
	}
	if err := s.workspace.WriteFile("provider.tf", block); err != nil {
		return err
	}
	if err := s.workspace.WriteFile("main.tf", s.configuration); err != nil {
		return err
	}
	return draw(ctx, s)
}

// withCluster gives the provider a control plane with the example's namespaces.
func (s *studio) withCluster(ctx context.Context, draw func() error) (err error) {
	controlPlane, err := testbed.Start(ctx, testbed.Options{Out: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, controlPlane.Stop()) }()
	kube, err := kubernetes.NewForConfig(controlPlane.RESTConfig)
	if err != nil {
		return err
	}
	for _, name := range []string{"istio-egress", "shop", "billing", "platform"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"istio-injection": "enabled"}}}
		if _, err := kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	s.workspace.Env = append(s.workspace.Env, "KUBE_CONFIG_PATH="+controlPlane.Kubeconfig)
	return draw()
}

// terraform runs a command that has to succeed, and returns its standard output.
func (s *studio) terraform(ctx context.Context, args ...string) (string, error) {
	result, err := s.workspace.Run(ctx, args...)
	if err != nil {
		return "", err
	}
	if result.ExitCode != 0 {
		return "", fmt.Errorf("terraform %v: exit code %d\n%s", args, result.ExitCode, result.Output)
	}
	return result.Stdout, nil
}

// write writes a picture into the checkout.
func (s *studio) write(file string, picture []byte) error {
	fmt.Fprintln(os.Stderr, "pictures:", file)
	return os.WriteFile(filepath.Join(s.root, file), picture, 0o644)
}
