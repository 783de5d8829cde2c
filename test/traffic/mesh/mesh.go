package mesh

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/kubelet"
	"github.com/meshegress/terraform-provider-istio/test/traffic/outside"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// Mesh is a running mesh.
type Mesh struct {
	kubelet *kubelet.Kubelet
	world   *outside.World
}

// Start runs the pods of a control plane that was started as ControlPlane says, and
// the world outside, until the context ends.
func Start(ctx context.Context, cp *testbed.ControlPlane) (*Mesh, error) {
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
	return &Mesh{kubelet: k, world: world}, k.Start(ctx)
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

// Call lets a pod make a call, under a new ID if it has none, and returns what has
// reached a server of it. An error says that the pod could not be asked, not that the
// call failed.
func (m *Mesh) Call(ctx context.Context, pod types.UID, call sandbox.Call) (sandbox.Answer, []outside.Arrival, error) {
	if call.ID == "" {
		call.ID = rand.Text()
	}
	answer, err := sandbox.Do(ctx, m.kubelet.Socket(pod), call)
	answer.ID = call.ID
	if err != nil {
		return answer, nil, err
	}
	arrived, err := m.world.Arrived(ctx, call.ID)
	return answer, arrived, err
}

// Kill ends all processes of a pod at once, as the failure of its machine would. Nobody
// has asked the API server for it.
func (m *Mesh) Kill(pod types.UID) error {
	pid := m.kubelet.Pid(pod)
	if pid == 0 {
		return fmt.Errorf("pod %s does not run", pod)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// Within returns the command that runs another one in the network of a pod; it works
// where Way leads.
func (m *Mesh) Within(pod types.UID) string {
	return fmt.Sprintf("nsenter --net --target %d", m.kubelet.Pid(pod))
}

// LogFile is the file with the output of a pod's container.
func (m *Mesh) LogFile(pod types.UID, container string) string {
	return m.kubelet.LogFile(pod, container)
}

// Proxy is the container of a pod that Envoy runs in.
const Proxy = "istio-proxy"
