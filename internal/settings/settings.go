package settings

import (
	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Provider is the provider block after configuration.
type Provider struct {
	Mesh    compile.Mesh
	Detail  manifest.Detail
	OwnerID string
	// MeshKnown is false while an attribute that objects depend on
	// (istio_namespace, revision, trust_domain, ...) is unknown: then nothing
	// can be compiled, and computed values are "known after apply".
	MeshKnown bool
	// Connect returns the client. It never dials. It fails while an attribute of the provider block that the
	// connection needs is unknown (IsUnknown(err)), and when the block or the environment names no cluster.
	Connect func() (*cluster.Client, error)
}
