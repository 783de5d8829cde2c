package acctest

// Credentials are those of the ServiceAccount that the provider is in every
// test, for tests of the provider block.
type Credentials struct {
	Host, Token string
	// CA is the PEM certificate of the API server's authority.
	CA string
	// Kubeconfig is the path of a file with the same three.
	Kubeconfig string
}

// Credentials returns what Config puts into the provider block.
func (f *Fixture) Credentials() Credentials {
	a := f.env.account
	return Credentials{Host: a.host, Token: a.token, CA: a.ca, Kubeconfig: a.kubeconfig}
}

// Environment returns the environment variables that say the same to an empty
// provider block, as NAME=value.
func (f *Fixture) Environment() []string {
	at := f.Credentials()
	return []string{"KUBE_HOST=" + at.Host, "KUBE_TOKEN=" + at.Token, "KUBE_CLUSTER_CA_CERT_DATA=" + at.CA}
}
