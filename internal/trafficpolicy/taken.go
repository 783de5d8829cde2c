package trafficpolicy

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// takenPort is an explicit port that another has: the Gateway object that
// would reserve it is there.
type takenPort struct {
	slot   ports.Slot
	object manifest.Object
	live   *unstructured.Unstructured
}

// problem is what to say of it.
func (t takenPort) problem(p policy.Policy) *attributeError {
	holder := "somebody else"
	if t.live != nil {
		holder = t.live.GetLabels()[compile.LabelManagedBy]
		if other, ok := cluster.OwnerOf(t.live); ok {
			holder = other.String()
		}
		if holder == "" {
			holder = "somebody who is not this provider"
		}
	}
	return &attributeError{
		path:    portPath(p, t.slot),
		summary: "Port of the gateway is taken",
		detail: diagnose.PortTaken.With(fmt.Sprintf("Entry %q wants port %d of gateway %s, and %s, which reserves it, belongs to %s. "+
			"Choose another port, or leave by_egress_gateway out to have one assigned.",
			t.slot.Key, t.slot.Explicit, gatewayName(p), t.object.ID(), holder)),
	}
}

// byName finds objects by their name.
var byName = &cluster.Index{Keys: func(object *unstructured.Unstructured) []string { return []string{object.GetName()} }}

// takenPorts returns the explicit ports that another had when this process
// looked.
func (r *Resource) takenPorts(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) ([]takenPort, error) {
	slots := slices.DeleteFunc(policy.Slots(p), func(slot ports.Slot) bool { return slot.Explicit == 0 })
	if len(slots) == 0 {
		return nil, nil
	}
	var taken []takenPort
	for _, slot := range slots {
		object := policy.GatewayObject(p, r.provider.Mesh, slot, slot.Explicit)
		gateways, err := client.GlanceAt(ctx, gatewayGVK, p.ByEgressGateway.Namespace, byName, object.Body.GetName())
		if err != nil {
			return nil, err
		}
		for _, live := range gateways {
			if !isOf(owner, live) {
				taken = append(taken, takenPort{slot, object, live})
			}
		}
	}
	return taken, nil
}

// freePorts fails before the first write if an explicit port is still taken.
func (r *Resource) freePorts(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) error {
	taken, err := r.takenPorts(ctx, client, owner, p)
	if err != nil {
		return err
	}
	for _, port := range taken {
		if port.live, err = client.Get(ctx, port.object.ID()); err != nil {
			return err
		}
		if port.live != nil && port.live.GetDeletionTimestamp() == nil && !isOf(owner, port.live) {
			return port.problem(p)
		}
	}
	return nil
}

// isOf reports whether a live object names the owner.
func isOf(owner cluster.Owner, live *unstructured.Unstructured) bool {
	other, named := cluster.OwnerOf(live)
	return named && other.Nonce == owner.Nonce
}

// justTaken says who has a port that could not be reserved.
func (r *Resource) justTaken(ctx context.Context, client *cluster.Client, p policy.Policy, slot ports.Slot, object manifest.Object) error {
	// The holder only makes the message better, so that it cannot be read is
	// no further error.
	live, _ := client.Get(ctx, object.ID())
	return takenPort{slot, object, live}.problem(p)
}
