package trafficpolicy

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// lookUp asks the cluster, if it can be reached, whether the new policy would
// meet objects or ports of somebody else.
func (r *Resource) lookUp(ctx context.Context, p policy.Policy, wanted planned) diag.Diagnostics {
	var found diag.Diagnostics
	diags := r.provider.Lookup(ctx, func(ctx context.Context, client *cluster.Client) error {
		owner := r.provider.Remembered(cluster.Owner{Resource: TypeName, ImportID: identityOf(p).importID(), OwnerID: r.provider.OwnerID})
		_, err := r.preflight(ctx, client, owner, p, wanted.objects)
		if warning := movable(err, owner); warning != nil {
			found, err = append(found, warning), nil
		}
		var told *summaryError
		if errors.As(err, &told) {
			found, err = append(found, diagnostic(err)), nil
		}
		if err != nil {
			return err
		}
		taken, err := r.takenPorts(ctx, client, owner, p, wanted)
		found = append(found, taken...)
		return err
	})
	return append(diags, found...)
}

// movable returns a warning if the error is an object of another policy: that
// policy may be on its way out in the same apply. Apply looks again before it
// writes.
func movable(err error, owner cluster.Owner) diag.Diagnostic {
	var foreign *cluster.ForeignError
	if !errors.As(err, &foreign) || foreign.Owner == nil ||
		foreign.Owner.Resource != TypeName || foreign.Owner.ImportID == owner.ImportID {
		return nil
	}
	return diag.NewWarningDiagnostic(foreign.ID.String()+" belongs to another policy today",
		fmt.Sprintf("It is written by %s. Unless that one gives it up before, the apply fails with nothing written.", foreign.Owner))
}

// takenPorts warns of explicit ports that another policy has today. It is no
// error: the other may release its port in the same apply.
func (r *Resource) takenPorts(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, wanted planned) (diag.Diagnostics, error) {
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
				if other.Nonce == owner.Nonce {
					continue // of the instance that this one replaces
				}
				holder = other.String()
			}
			diags.AddAttributeWarning(portPath(p, slot), "Port of the gateway is taken", takenDetail(p, slot, object, holder))
		}
	}
	return diags, nil
}
