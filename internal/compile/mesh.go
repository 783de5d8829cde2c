package compile

// Mesh holds the facts of the mesh that the provider block gives.
type Mesh struct {
	// RootNamespace is Istio's root namespace, `istio_namespace`.
	RootNamespace string
	// TrustDomain is the first part of every SPIFFE identity of the mesh.
	TrustDomain string
	// TrustDomainAliases are further trust domains whose identities count as
	// the mesh's own.
	TrustDomainAliases []string
	// ClusterDomain ends the DNS name of every Service.
	ClusterDomain string
	// Revision is the default `istio.io/rev` of objects and pods; empty for
	// the default control plane.
	Revision string
}

// TrustDomains returns the trust domain and its aliases, without duplicates.
func (m Mesh) TrustDomains() []string {
	seen := map[string]bool{}
	var domains []string
	for _, d := range append([]string{m.TrustDomain}, m.TrustDomainAliases...) {
		if d != "" && !seen[d] {
			seen[d] = true
			domains = append(domains, d)
		}
	}
	return domains
}

// ServiceHost returns the fully qualified DNS name of a Service.
func (m Mesh) ServiceHost(name, namespace string) string {
	return name + "." + namespace + ".svc." + m.ClusterDomain
}
