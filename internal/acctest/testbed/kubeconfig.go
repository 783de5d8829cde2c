package testbed

import (
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig issues a client certificate for user and writes
// <dir>/<user>.kubeconfig, with everything in the one file.
//
// Each component has a user of its own, all in system:masters: the audit log then
// tells whose a request was.
func (cp *ControlPlane) writeKubeconfig(user string) (string, error) {
	cert, key, err := cp.pki.client(user, "system:masters")
	if err != nil {
		return "", err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["testbed"] = &clientcmdapi.Cluster{Server: cp.Host, CertificateAuthorityData: cp.CAData}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	config.Contexts["testbed"] = &clientcmdapi.Context{Cluster: "testbed", AuthInfo: user}
	config.CurrentContext = "testbed"
	path := filepath.Join(cp.Dir, user+".kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}

// restConfig loads a kubeconfig without client-go's five requests a second.
func restConfig(path, userAgent string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.UserAgent = userAgent
	return config, nil
}
