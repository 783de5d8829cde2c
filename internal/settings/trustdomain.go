package settings

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// DefaultTrustDomain is that of a mesh config that says none
// (istio.io/istio/pkg/config/constants, DefaultClusterLocalDomain).
const DefaultTrustDomain = "cluster.local"

// trustDomainState holds the answer of the first check that got one.
type trustDomainState struct {
	sync.Mutex
	checked bool
	err     error
}

// TrustDomainError says that the mesh issues other identities than the
// provider block says: every generated identity check would refuse everyone.
type TrustDomainError struct {
	Configured, Live string
	// ConfigMap is the mesh config's "namespace/name".
	ConfigMap string
}

// Summary is the short text of the error's diagnostic.
func (e *TrustDomainError) Summary() string { return "The trust domain is not that of the mesh" }

// Topic is the section of a guide about it.
func (e *TrustDomainError) Topic() diagnose.Topic { return diagnose.TrustDomain }

func (e *TrustDomainError) Error() string {
	return fmt.Sprintf("`trust_domain` of the provider block is %q, but the mesh config in ConfigMap %s says trustDomain %q: "+
		"the gateways would refuse every workload of this mesh. Set `trust_domain = %q` (and the other in `trust_domain_aliases` "+
		"while workloads still carry it).", e.Configured, e.ConfigMap, e.Live, e.Live)
}

// CheckTrustDomain compares the provider's trust domain with that of the mesh
// config. It asks the cluster once per process. A *TrustDomainError names
// both; a mesh config that is absent or may not be read is no error, a cluster
// that does not answer is one.
func (p *Provider) CheckTrustDomain(ctx context.Context, client *cluster.Client) error {
	p.trustDomain.Lock()
	defer p.trustDomain.Unlock()
	if p.trustDomain.checked {
		return p.trustDomain.err
	}
	id := meshConfigID(p.Mesh)
	configMap, err := client.Get(ctx, id)
	switch {
	case cluster.IsUnreachable(err), ctx.Err() != nil:
		return err
	case err != nil:
		p.trustDomain.checked = true
		return nil
	}
	p.trustDomain.checked = true
	if configMap != nil {
		p.trustDomain.err = compareTrustDomain(p.Mesh, configMap)
	}
	return p.trustDomain.err
}

// meshConfigID is the ConfigMap that holds the mesh config of a revision.
func meshConfigID(mesh compile.Mesh) manifest.ID {
	return meshconfig.ConfigMap(mesh.RootNamespace, mesh.Revision)
}

// compareTrustDomain is nil if the mesh config cannot be parsed: istiod would
// not run on it either.
func compareTrustDomain(mesh compile.Mesh, configMap *unstructured.Unstructured) error {
	text, found, err := unstructured.NestedString(configMap.Object, "data", "mesh")
	if err != nil || !found {
		return nil //nolint:nilerr // istiod cannot read it either
	}
	var config struct {
		TrustDomain string `json:"trustDomain"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return nil //nolint:nilerr // cannot tell
	}
	live := config.TrustDomain
	if live == "" {
		live = DefaultTrustDomain
	}
	if live == mesh.TrustDomain {
		return nil
	}
	return &TrustDomainError{
		Configured: mesh.TrustDomain,
		Live:       live,
		ConfigMap:  configMap.GetNamespace() + "/" + configMap.GetName(),
	}
}
