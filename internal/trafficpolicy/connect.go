package trafficpolicy

import (
	"context"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// connect returns the client, once the trust domain of the provider block is
// known to be the mesh's: identities of another one would admit nobody.
func (r *Resource) connect(ctx context.Context) (*cluster.Client, error) {
	client, err := r.provider.Connect()
	if err != nil {
		return nil, err
	}
	return client, r.provider.CheckTrustDomain(ctx, client)
}
