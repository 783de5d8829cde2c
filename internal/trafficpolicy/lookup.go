package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// lookUp asks the cluster, if it can be reached, whether the new policy would
// meet objects or ports of somebody else.
func (r *Resource) lookUp(ctx context.Context, p policy.Policy, wanted planned) diag.Diagnostics {
	var taken diag.Diagnostics
	diags := r.provider.Lookup(ctx, func(ctx context.Context, client *cluster.Client) error {
		owner := cluster.Owner{Resource: TypeName, ImportID: identityOf(p).importID(), OwnerID: r.provider.OwnerID}
		if _, err := client.Preflight(ctx, cluster.Release{Owner: owner, Objects: withoutGateways(wanted.objects)}); err != nil {
			return err
		}
		var err error
		taken, err = r.takenPorts(ctx, client, p, wanted)
		return err
	})
	return append(diags, taken...)
}

// takenPorts warns of explicit ports that another policy has today. It is no
// error: the other may release its port in the same apply.
func (r *Resource) takenPorts(ctx context.Context, client *cluster.Client, p policy.Policy, wanted planned) (diag.Diagnostics, error) {
	var diags diag.Diagnostics
	if len(wanted.slots) == 0 {
		return nil, nil
	}
	gateways, err := client.Glance(ctx, gatewayGVK, p.ByEgressGateway.Namespace, "")
	if err != nil {
		return nil, err
	}
	for _, slot := range wanted.slots {
		if slot.Explicit == 0 {
			continue
		}
		object := policy.GatewayObject(p, r.provider.Mesh, slot, slot.Explicit)
		for _, gateway := range gateways {
			if gateway.GetName() != object.Body.GetName() {
				continue
			}
			holder := holderOf(gateway.GetLabels()[compile.LabelManagedBy])
			if other, ok := cluster.OwnerOf(gateway); ok {
				holder = other.String()
			}
			diags.AddAttributeWarning(portPath(p, slot), "Port of the gateway is taken", takenDetail(p, slot, object, holder))
		}
	}
	return diags, nil
}
