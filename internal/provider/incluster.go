package provider

import (
	"net"
	"os"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// serviceAccountDirectory is where Kubernetes mounts a pod's credentials, the
// same path that rest.InClusterConfig uses.
const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

// inClusterTarget returns the cluster that the process runs in. A pod with no
// token mounted (automountServiceAccountToken: false) has none.
func inClusterTarget(env Environment) (target, bool) {
	host, port := env.Getenv("KUBERNETES_SERVICE_HOST"), env.Getenv("KUBERNETES_SERVICE_PORT")
	token := filepath.Join(env.ServiceAccount, "token")
	if info, err := os.Stat(token); host == "" || port == "" || err != nil || info.IsDir() {
		return target{}, false
	}
	t := target{
		cluster: clientcmdapi.Cluster{Server: "https://" + net.JoinHostPort(host, port)},
		// A file, not its content: the kubelet renews the token.
		user:     clientcmdapi.AuthInfo{TokenFile: token},
		origin:   setting{attribute: "host", variable: "KUBERNETES_SERVICE_HOST", value: host},
		endpoint: "the pod that Terraform runs in (KUBERNETES_SERVICE_HOST)",
	}
	if ca := filepath.Join(env.ServiceAccount, "ca.crt"); isFile(ca) {
		t.cluster.CertificateAuthority = ca
	}
	return t, true
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}
