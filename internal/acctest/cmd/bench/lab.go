package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

const (
	gatewayNamespace = "istio-egress"
	sourceNamespace  = "mytest"
)

// lab is a control plane of its own, a CLI and the provider.
type lab struct {
	controlPlane *testbed.ControlPlane
	dir          string
	cli          string
	provider     string
	progress     io.Writer
}

// newLab starts everything. The caller closes the lab, also after an error.
func newLab(ctx context.Context, progress io.Writer) (*lab, error) {
	l := &lab{progress: progress}
	tool := testbed.TerraformCLI
	if os.Getenv("ACCTEST_CLI") == "tofu" {
		tool = testbed.OpenTofuCLI
	}
	paths, err := testbed.Ensure(ctx, progress, tool)
	if err != nil {
		return l, err
	}
	l.cli = paths[tool]
	if l.dir, err = os.MkdirTemp("", "istio-egress-bench-"); err != nil {
		return l, err
	}
	l.provider = filepath.Join(l.dir, "terraform-provider-istio")
	if err := buildReleased(ctx, l.provider); err != nil {
		return l, err
	}
	if l.controlPlane, err = testbed.Start(ctx, testbed.Options{Out: progress}); err != nil {
		return l, err
	}
	kube, err := kubernetes.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return l, err
	}
	for _, name := range []string{gatewayNamespace, sourceNamespace} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (l *lab) close() error {
	var err error
	if l.controlPlane != nil {
		err = l.controlPlane.Stop()
	}
	if l.dir != "" {
		err = errors.Join(err, os.RemoveAll(l.dir))
	}
	return err
}

// administrator is the user of the control plane's kubeconfig.
const administrator = "admin"

// workspace makes a directory with one configuration, in place of an earlier one of
// that name.
func (l *lab) workspace(name, main string, env ...string) (*workspace.Workspace, error) {
	dir := filepath.Join(l.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	w, err := workspace.New(dir, l.cli, l.provider, env...)
	if err != nil {
		return nil, err
	}
	return w, w.WriteFile("main.tf", main)
}

func (l *lab) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.progress, "bench: "+format+"\n", args...)
}
