package lab

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
)

// Lab is the mesh of one test.
type Lab struct {
	*acctest.Fixture
	t    *testing.T
	mesh *mesh.Mesh
}

// shared is the mesh of the tests of a process.
var shared struct {
	once sync.Once
	mesh *mesh.Mesh
	err  error
}

// New prepares a test. The first one of a process starts the mesh, which takes
// some seconds.
func New(t *testing.T) *Lab {
	t.Helper()
	return prepared(t, acctest.New)
}

// NewAlone is New for a test that changes the mesh for everybody: no other test of
// the package runs meanwhile.
func NewAlone(t *testing.T) *Lab {
	t.Helper()
	return prepared(t, acctest.NewAlone)
}

func prepared(t *testing.T, fixture func(*testing.T) *acctest.Fixture) *Lab {
	t.Helper()
	if missing := fabric.Missing(); missing != "" && os.Getenv("TF_ACC") != "" {
		acctest.Skip(t, missing)
	}
	f := fixture(t)
	shared.once.Do(func() { shared.mesh, shared.err = mesh.Start(context.Background(), f.ControlPlane()) })
	if shared.err != nil {
		t.Fatalf("traffic lab: %v", shared.err)
	}
	l := &Lab{Fixture: f, t: t, mesh: shared.mesh}
	t.Cleanup(l.keepLogs)
	return l
}

// For returns the lab for a subtest.
func (l *Lab) For(t *testing.T) *Lab {
	return &Lab{Fixture: l.Fixture, t: t, mesh: l.mesh}
}

// keepLogs copies what the pods of a test have written, if somebody wants it.
func (l *Lab) keepLogs() {
	folder := os.Getenv("TRAFFIC_KEEP")
	if folder == "" {
		return
	}
	folder = filepath.Join(folder, l.t.Name())
	if err := os.MkdirAll(folder, 0o755); err != nil {
		l.t.Error(err)
		return
	}
	for _, namespace := range l.Namespaces() {
		list, err := l.Kube.CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			l.t.Error(err)
			continue
		}
		for _, pod := range list.Items {
			logs, _ := filepath.Glob(l.mesh.LogFile(pod.UID, "*"))
			for _, log := range logs {
				if err := copyFile(log, filepath.Join(folder, namespace+"_"+pod.Name+"_"+filepath.Base(log))); err != nil {
					l.t.Error(err)
				}
			}
		}
	}
}

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
