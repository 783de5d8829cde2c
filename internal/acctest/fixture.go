package acctest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"

	istio "istio.io/client-go/pkg/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Fixture is what one acceptance test has: the shared control plane, namespaces
// of its own, and a provider that it alone configures.
type Fixture struct {
	t   *testing.T
	env *environment

	// Suffix is random and part of every namespace name of this test.
	Suffix string
	// CLI is the executable that drives this test.
	CLI CLI

	// Kube, Istio and Dynamic are the administrator's clients: for what the
	// test itself prepares, edits and looks at, never for the provider.
	Kube    kubernetes.Interface
	Istio   istio.Interface
	Dynamic dynamic.Interface

	mu         sync.Mutex
	namespaces []string
}

// New prepares a test: it starts the control plane if no test of this package
// has done so yet, and runs the test in parallel with others of its package. It
// skips the test, and says why, unless TF_ACC is set.
func New(t *testing.T) *Fixture {
	t.Helper()
	needOwn(t)
	t.Parallel()
	return newFixture(t, shared.start(t, sharedOptions))
}

// NewAnywhere is New for a test that is safe for any cluster: it keeps to
// namespaces of its own and stops nothing. Where KUBECONFIG is set it runs there,
// with examples/rbac applied, which stays; elsewhere like New.
func NewAnywhere(t *testing.T) *Fixture {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		return New(t)
	}
	needTFAcc(t)
	t.Parallel()
	return newFixture(t, anywhere.start(t, testbed.Options{UseKubeconfig: true}))
}

// NewOwn is New for a test that stops parts of the control plane: it has one of
// its own, which ends with the test.
func NewOwn(t *testing.T) *Fixture {
	t.Helper()
	needOwn(t)
	t.Parallel()
	env, err := newEnvironment(context.Background(), testbed.Options{})
	if err != nil {
		t.Fatalf("acctest: %v", err)
	}
	t.Cleanup(env.stop)
	return newFixture(t, env)
}

// NewAlone is New for a test that counts everybody's requests: no other test of
// the package runs meanwhile.
func NewAlone(t *testing.T) *Fixture {
	t.Helper()
	needOwn(t)
	// go test runs whatever called t.Parallel after all tests that did not.
	return newFixture(t, shared.start(t, sharedOptions))
}

func needTFAcc(t *testing.T) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests need a control plane: set TF_ACC=1 (or run make testacc)")
	}
}

// needOwn skips a test that starts a control plane where only those are wanted that
// run on the cluster of KUBECONFIG.
func needOwn(t *testing.T) {
	t.Helper()
	needTFAcc(t)
	if os.Getenv("ACCTEST_KUBECONFIG_ONLY") != "" {
		t.Skip("ACCTEST_KUBECONFIG_ONLY is set, and this test has a control plane of its own")
	}
}

func newFixture(t *testing.T, env *environment) *Fixture {
	t.Helper()
	f := &Fixture{t: t, env: env, Suffix: random(), CLI: env.cli}
	f.Kube = must(kubernetes.NewForConfig(env.admin))(t)
	f.Istio = must(istio.NewForConfig(env.admin))(t)
	f.Dynamic = must(dynamic.NewForConfig(env.admin))(t)
	t.Cleanup(f.deleteNamespaces)
	return f
}

// Skip skips an acceptance test for something that is missing on this machine.
// Where CI is set nothing may be missing, so there the test fails.
func Skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("CI is set, so this test must not be skipped: " + reason)
	}
	t.Skip(reason)
}

// ControlPlane is the control plane that the test runs on. Only one of NewOwn may
// be stopped.
func (f *Fixture) ControlPlane() *testbed.ControlPlane { return f.env.controlPlane }

// T returns the test that the fixture belongs to.
func (f *Fixture) T() *testing.T { return f.t }

// AdminConfig returns a connection with all permissions.
func (f *Fixture) AdminConfig() *rest.Config { return rest.CopyConfig(f.env.admin) }

// GatewayNamespace makes a namespace for gateways: sidecar injection is on, and
// examples/rbac/gateway-namespace.yaml is bound in it. The name starts with
// prefix and is unique.
func (f *Fixture) GatewayNamespace(prefix string) string {
	f.t.Helper()
	name := f.Namespace(prefix)
	f.BindGatewayRole(name)
	return name
}

// SourceNamespace makes a namespace for workloads: sidecar injection is on, and
// examples/rbac/source-namespace.yaml is bound in it.
func (f *Fixture) SourceNamespace(prefix string) string {
	f.t.Helper()
	name := f.Namespace(prefix)
	f.BindSourceRole(name)
	return name
}

// Namespace makes a namespace in which the provider may write nothing.
func (f *Fixture) Namespace(prefix string) string {
	f.t.Helper()
	name := prefix + "-" + f.Suffix
	f.FixedNamespace(name)
	return name
}

// FixedNamespace makes a namespace under exactly that name. It is for
// configurations that have the name in them, such as the published examples.
func (f *Fixture) FixedNamespace(name string) {
	f.t.Helper()
	_, err := f.Kube.CoreV1().Namespaces().Create(f.t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{"istio-injection": "enabled"},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		f.t.Fatalf("create namespace %s: %v", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.namespaces = append(f.namespaces, name)
}

// Namespaces returns the namespaces that this test has made.
func (f *Fixture) Namespaces() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.namespaces...)
}

// deleteNamespaces does not wait: names are unique, so nobody needs them gone.
func (f *Fixture) deleteNamespaces() {
	for _, name := range f.Namespaces() {
		// The test's own context has ended by now.
		err := f.Kube.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			f.t.Errorf("delete namespace %s: %v", name, err)
		}
	}
}

func random() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// must ends the test on an error: must(f())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(fmt.Errorf("acctest: %w", err))
		}
		return value
	}
}
