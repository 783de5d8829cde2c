package acctest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// account is the ServiceAccount that the provider is in every test, as
// examples/rbac publishes it.
type account struct {
	host, token, ca string
	// kubeconfig is the path of a file with the same three.
	kubeconfig string
}

const (
	accountNamespace = "terraform"
	accountName      = "terraform-provider-istio"
	// tokenSeconds outlives any run of a test package.
	tokenSeconds = 6 * 60 * 60
)

// newAccount applies examples/rbac/cluster.yaml and asks for a token of the
// ServiceAccount in it. The kubeconfig is written into dir.
func newAccount(ctx context.Context, admin *rest.Config, dir string) (account, error) {
	if err := applyFile(ctx, admin, filepath.Join(Root(), "examples", "rbac", "cluster.yaml")); err != nil {
		return account{}, err
	}
	kube, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return account{}, err
	}
	seconds := int64(tokenSeconds)
	request, err := kube.CoreV1().ServiceAccounts(accountNamespace).CreateToken(ctx, accountName,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}},
		metav1.CreateOptions{})
	if err != nil {
		return account{}, fmt.Errorf("token of %s/%s: %w", accountNamespace, accountName, err)
	}
	a := account{
		host:       admin.Host,
		token:      request.Status.Token,
		ca:         string(admin.CAData),
		kubeconfig: filepath.Join(dir, "kubeconfig"),
	}
	if len(admin.CAData) == 0 && admin.CAFile != "" {
		ca, err := os.ReadFile(admin.CAFile)
		if err != nil {
			return account{}, err
		}
		a.ca = string(ca)
	}
	return a, a.writeKubeconfig()
}

func (a account) writeKubeconfig() error {
	config := clientcmdapi.NewConfig()
	config.Clusters["acctest"] = &clientcmdapi.Cluster{Server: a.host, CertificateAuthorityData: []byte(a.ca)}
	config.AuthInfos["acctest"] = &clientcmdapi.AuthInfo{Token: a.token}
	config.Contexts["acctest"] = &clientcmdapi.Context{Cluster: "acctest", AuthInfo: "acctest"}
	config.CurrentContext = "acctest"
	return clientcmd.WriteToFile(*config, a.kubeconfig)
}

// applyFile creates the objects of a YAML file; those that exist are left
// alone. The roles that it binds are in force afterwards.
func applyFile(ctx context.Context, admin *rest.Config, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	objects, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	client, err := dynamic.NewForConfig(admin)
	if err != nil {
		return err
	}
	for _, object := range objects {
		k, ok := kinds[object.GetKind()]
		if !ok {
			return fmt.Errorf("%s: acctest does not know the kind %s", path, object.GetKind())
		}
		_, err := client.Resource(k.resource).Namespace(object.GetNamespace()).Create(ctx, object, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s: %w", ID(object), err)
		}
	}
	kube, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return err
	}
	return permitted(ctx, kube, objects)
}

// BindGatewayRole lets the provider run gateways in a namespace.
func (f *Fixture) BindGatewayRole(namespace string) {
	f.t.Helper()
	f.ApplyFile(namespace, filepath.Join(Root(), "examples", "rbac", "gateway-namespace.yaml"))
}

// BindSourceRole lets the provider route the workloads of a namespace.
func (f *Fixture) BindSourceRole(namespace string) {
	f.t.Helper()
	f.ApplyFile(namespace, filepath.Join(Root(), "examples", "rbac", "source-namespace.yaml"))
}

// BindMeshRole lets the provider edit the mesh config of the default revision,
// until the test ends.
func (f *Fixture) BindMeshRole() {
	f.t.Helper()
	objects := f.ApplyFile("", filepath.Join(Root(), "examples", "rbac", "mesh-scope.yaml"))
	f.t.Cleanup(func() {
		for _, object := range objects {
			// The test's own context has ended by now.
			err := f.client(object.GetKind(), object.GetNamespace()).Delete(context.Background(), object.GetName(), metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				f.t.Errorf("delete %s: %v", ID(object), err)
			}
		}
	})
}
