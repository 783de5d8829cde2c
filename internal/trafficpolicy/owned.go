package trafficpolicy

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// byOwner finds objects by the owner that they name: by its nonce, and by its
// import id, which another instance may have had before.
var byOwner = &cluster.Index{Keys: func(object *unstructured.Unstructured) []string {
	owner, ok := cluster.OwnerOf(object)
	if !ok {
		return nil
	}
	return []string{nonceKey(owner), instanceKey(owner)}
}}

func nonceKey(owner cluster.Owner) string { return "nonce " + owner.Nonce }
func instanceKey(owner cluster.Owner) string {
	return "instance " + owner.Resource + " " + owner.ImportID
}

// ownGateways returns the Gateway objects of a namespace that belong to the
// owner. A Gateway is named after its port, and a port that an unfinished
// update reserved stands nowhere but in the cluster. Where the kind itself is
// missing there are none: that must not keep anybody from a destroy.
func ownGateways(ctx context.Context, client *cluster.Client, namespace string, owner cluster.Owner) ([]*unstructured.Unstructured, error) {
	gateways, err := client.GlanceAt(ctx, gatewayGVK, namespace, byOwner, nonceKey(owner))
	if cluster.IsMissingKind(err) {
		return nil, nil
	}
	return gateways, err
}
