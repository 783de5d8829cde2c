package settings

// Defaults of what the provider block says about the mesh: Istio's and
// Kubernetes' own. The third is DefaultTrustDomain.
const (
	DefaultRootNamespace = "istio-system"
	DefaultClusterDomain = "cluster.local"
)
