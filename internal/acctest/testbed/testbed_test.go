package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var shared struct {
	once sync.Once
	cp   *ControlPlane
	err  error
}

func TestMain(m *testing.M) {
	if os.Getenv(holdVariable) != "" {
		hold()
		return
	}
	code := m.Run()
	if shared.cp != nil {
		if err := shared.cp.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// needed skips a test that starts processes, unless acceptance tests are asked
// for. Once they are, whatever is missing fails the test.
func needed(t *testing.T) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("starts a control plane: set TF_ACC=1 to run it")
	}
}

func sharedPlane(t *testing.T) (*ControlPlane, kubernetes.Interface) {
	t.Helper()
	needed(t)
	shared.once.Do(func() { shared.cp, shared.err = Start(t.Context(), Options{}) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cp, clientOf(t, shared.cp)
}

func clientOf(t *testing.T, cp *ControlPlane) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(cp.RESTConfig)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func namespace(t *testing.T, client kubernetes.Interface, labels map[string]string) string {
	t.Helper()
	ns, err := client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "testbed-", Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Deletion has to go through too: the controllers are real.
	t.Cleanup(func() {
		if err := client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return ns.Name
}

// eventually polls; the last error is what the test fails with.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func deployment(name, image string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
			},
		},
	}
}

func TestDeploymentBecomesAvailableWithSidecar(t *testing.T) {
	_, client := sharedPlane(t)
	ns := namespace(t, client, map[string]string{"istio-injection": "enabled"})
	if _, err := client.AppsV1().Deployments(ns).Create(t.Context(), deployment("shop", "shop"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Deployment becoming available", func(ctx context.Context) error {
		d, err := client.AppsV1().Deployments(ns).Get(ctx, "shop", metav1.GetOptions{})
		if err == nil && d.Status.AvailableReplicas != 1 {
			err = fmt.Errorf("%+v", d.Status)
		}
		return err
	})
	pods, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 {
		t.Fatal(len(pods.Items), err)
	}
	var names []string
	for _, c := range append(pods.Items[0].Spec.InitContainers, pods.Items[0].Spec.Containers...) {
		names = append(names, c.Name)
	}
	if !strings.Contains(strings.Join(names, " "), "istio-proxy") {
		t.Errorf("containers %v, no istio-proxy among them", names)
	}
}

func TestNoInjectionWithoutLabel(t *testing.T) {
	_, client := sharedPlane(t)
	ns := namespace(t, client, nil)
	// What a gateway's Deployment looks like when injection is off.
	if _, err := client.AppsV1().Deployments(ns).Create(t.Context(), deployment("gateway", "auto"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pod waiting for its image", func(ctx context.Context) error {
		pods, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: "app=gateway"})
		if err != nil {
			return err
		}
		if len(pods.Items) != 1 || len(pods.Items[0].Status.ContainerStatuses) != 1 {
			return errors.New("no status yet")
		}
		state := pods.Items[0].Status.ContainerStatuses[0].State
		if state.Waiting == nil || state.Waiting.Reason != "ImagePullBackOff" {
			return fmt.Errorf("state %+v", state)
		}
		return nil
	})
	d, err := client.AppsV1().Deployments(ns).Get(t.Context(), "gateway", metav1.GetOptions{})
	if err != nil || d.Status.AvailableReplicas != 0 {
		t.Errorf("available %d, want 0 (%v)", d.Status.AvailableReplicas, err)
	}
}

func TestServiceAccountToken(t *testing.T) {
	cp, client := sharedPlane(t)
	ns := namespace(t, client, nil)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "provider"}}
	if _, err := client.CoreV1().ServiceAccounts(ns).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	restricted := clientWithToken(t, cp, client, ns, "provider")
	_, err := restricted.CoreV1().Services(ns).List(t.Context(), metav1.ListOptions{})
	if err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("got %v, want RBAC's refusal", err)
	}
}

func TestSeveralSideBySide(t *testing.T) {
	_, first := sharedPlane(t)
	second, err := Start(t.Context(), Options{Istio: new(bool), Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := second.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(second.Dir); !errors.Is(err, os.ErrNotExist) && os.Getenv("TESTBED_KEEP") == "" {
			t.Errorf("the run directory is still there: %v", err)
		}
	}()
	resources, err := clientOf(t, second).Discovery().ServerGroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range resources.Groups {
		if strings.HasSuffix(g.Name, "istio.io") {
			t.Errorf("API group %s, though started without Istio", g.Name)
		}
	}
	nodes, err := clientOf(t, second).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 2 {
		t.Errorf("%d nodes, want 2 (%v)", len(nodes.Items), err)
	}
	if _, err := first.Discovery().ServerVersion(); err != nil {
		t.Error(err)
	}
}
