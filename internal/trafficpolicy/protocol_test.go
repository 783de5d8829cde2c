package trafficpolicy

import (
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Whether the provider block, of which objects hold facts, is known.
const (
	meshKnown   = true
	meshUnknown = false
)

// newServer serves the resource without a cluster.
func newServer(t rapid.TB, meshKnown bool) protocoltest.Server {
	t.Helper()
	return protocoltest.New(t, New, func() *settings.Provider { return settingsOf(meshKnown) })
}

func settingsOf(meshKnown bool) *settings.Provider {
	return &settings.Provider{
		Mesh: compile.Mesh{
			RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local",
		},
		Detail:    manifest.DetailDigest,
		MeshKnown: meshKnown,
	}
}

// configuredResource returns the resource of a new run.
func configuredResource() *Resource { return &Resource{provider: settingsOf(meshKnown)} }
