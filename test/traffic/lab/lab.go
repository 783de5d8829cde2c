package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/kubelet"
	"github.com/meshegress/terraform-provider-istio/test/traffic/outside"
)

// Lab is the mesh of one test.
type Lab struct {
	*acctest.Fixture
	t *testing.T
	*mesh
}

// mesh is what the tests of a process share.
type mesh struct {
	kubelet *kubelet.Kubelet
	world   *outside.World
}

var shared struct {
	once sync.Once
	mesh *mesh
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
	if ground.missing != "" && os.Getenv("TF_ACC") != "" {
		acctest.Skip(t, ground.missing)
	}
	f := fixture(t)
	shared.once.Do(func() { shared.mesh, shared.err = start(context.Background(), f.ControlPlane()) })
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

func start(ctx context.Context, cp *testbed.ControlPlane) (*mesh, error) {
	client, err := kubernetes.NewForConfig(cp.RESTConfig)
	if err != nil {
		return nil, err
	}
	if err := dropMetrics(ctx, client); err != nil {
		return nil, err
	}
	services, err := watchServices(ctx, client)
	if err != nil {
		return nil, err
	}
	if err := outside.ServeNames(fabric.Host, services.address); err != nil {
		return nil, fmt.Errorf("name server: %w", err)
	}
	world, err := outside.Start(ctx, ground.bridge, filepath.Join(ground.dir, "outside"))
	if err != nil {
		return nil, fmt.Errorf("the world outside: %w", err)
	}
	// The gateway trusts external servers as it would trust those of the internet.
	if err := fabric.Show(world.CA, systemRoots); err != nil {
		return nil, err
	}
	agent, envoy, bootstrap, err := install(ctx, filepath.Join(ground.dir, "bin"))
	if err != nil {
		return nil, err
	}
	pods := filepath.Join(ground.dir, "pods")
	if err := os.MkdirAll(pods, 0o755); err != nil {
		return nil, err
	}
	k := &kubelet.Kubelet{
		Client: client, Node: "node-1", Bridge: ground.bridge, Neighbours: outside.Neighbours, Dir: pods,
		Agent: agent, Envoy: envoy, Bootstrap: bootstrap, Istiod: cp.Istiod.SecureXDS, CA: world.CA,
		Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "kubelet: "+format+"\n", args...) },
	}
	return &mesh{kubelet: k, world: world}, k.Start(ctx)
}

// systemRoots is the first place where pilot-agent looks for the certificates that
// every server's may be signed by (istio.io/istio/pkg/security/security.go).
const systemRoots = "/etc/ssl/certs/ca-certificates.crt"

// dropMetrics takes the metrics provider out of the mesh's configuration: it is a
// filter that upstream Envoy does not have, and Envoy rejects a whole listener
// for it.
func dropMetrics(ctx context.Context, client kubernetes.Interface) error {
	maps := client.CoreV1().ConfigMaps(testbed.IstioNamespace)
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := maps.Get(ctx, "istio", metav1.GetOptions{})
		if err != nil {
			return err
		}
		config := map[string]any{}
		if err := yaml.Unmarshal([]byte(object.Data["mesh"]), &config); err != nil {
			return fmt.Errorf("mesh configuration: %w", err)
		}
		if providers, ok := config["defaultProviders"].(map[string]any); ok {
			delete(providers, "metrics")
		}
		text, err := yaml.Marshal(config)
		if err != nil {
			return err
		}
		object.Data["mesh"] = string(text)
		_, err = maps.Update(ctx, object, metav1.UpdateOptions{})
		return err
	})
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
			logs, _ := filepath.Glob(l.kubelet.LogFile(pod.UID, "*"))
			for _, log := range logs {
				if err := copyFile(log, filepath.Join(folder, namespace+"_"+pod.Name+"_"+filepath.Base(log))); err != nil {
					l.t.Error(err)
				}
			}
		}
	}
}
