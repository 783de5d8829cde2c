package workload

import (
	security "istio.io/api/security/v1beta1"
	istiotype "istio.io/api/type/v1beta1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// DefaultDenyName returns the name of the AuthorizationPolicy that closes a
// gateway of this name.
func DefaultDenyName(gateway string) string { return gateway + "-default-deny" }

// DefaultDenyID returns what the API server knows that object by.
func DefaultDenyID(g Gateway) manifest.ID {
	return manifest.ID{GVK: KindAuthorizationPolicy, Namespace: g.Namespace, Name: DefaultDenyName(g.Name)}
}

// defaultDeny is an ALLOW policy without rules: it matches no request, and
// once any ALLOW policy selects a workload, what none of them matches is
// refused (istio.io/api security/v1beta1, "allow-nothing").
func (c compiler) defaultDeny() manifest.Object {
	spec := &security.AuthorizationPolicy{
		Selector: &istiotype.WorkloadSelector{MatchLabels: Selector(c.Name)},
	}
	return c.object(stageGuards, KindAuthorizationPolicy, DefaultDenyName(c.Name), map[string]any{"spec": spec})
}
