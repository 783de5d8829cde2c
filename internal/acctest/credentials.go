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
