package trafficpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// reserve gives every slot of the policy its port. held are the ports that
// the instance has reserved already, by member.
//
// Creating the Gateway that is named after a port reserves it among all
// policies of the gateway, in whatever workspace they are planned. So a port
// is never taken by looking: what the cluster shows only spares attempts.
func (r *Resource) reserve(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, held map[string]int64) (reservation, error) {
	slots := policy.Slots(p)
	if len(slots) == 0 {
		return reservation{ports: map[string]int64{}}, nil
	}
	settled, clashes := ports.Keep(held, slots)
	if len(clashes) > 0 {
		return reservation{}, clashError(p, clashes[0])
	}
	taken, resumed, err := r.surroundings(ctx, client, owner, p)
	if err != nil {
		return reservation{}, err
	}
	reserved := map[string]int64{}
	made := reservation{ports: reserved}
	for _, slot := range slots {
		if port, ok := slot.Port(settled); ok && has(held, port) {
			slot.Set(reserved, port)
		}
	}
	for _, slot := range ports.Missing(reserved, slots) {
		// The Gateway of a port that entries shared names all of them.
		own := func(port int64) bool { return has(reserved, port) || has(settled, port) }
		candidates := ports.Candidates(policy.SlotID(p, slot), func(port int64) bool {
			_, isTaken := taken[port]
			return isTaken || own(port)
		})
		if port, ok := slot.Port(resumed); ok && slot.Explicit == 0 && !own(port) {
			candidates = first(port, candidates)
		}
		if slot.Explicit != 0 {
			candidates = only(slot.Explicit)
		}
		object, port, err := r.reserveSlot(ctx, client, owner, p, slot, candidates)
		if port == 0 && err == nil {
			err = noneLeft(p, slot, taken)
		}
		if err == nil || cluster.MaybeWritten(err) {
			slot.Set(reserved, port)
			made.created = append(made.created, object)
		}
		if err != nil {
			return made, err
		}
		if slot.Explicit == 0 {
			made.warnings = scarcity(p, taken, reserved)
		}
	}
	return made, nil
}

// reservation is what reserve leaves, whatever the error.
type reservation struct {
	// ports of all slots that have one, by member.
	ports map[string]int64
	// created are the Gateways that did not exist before.
	created  []manifest.Object
	warnings diag.Diagnostics
}

// waysOut says what helps where the ports of a gateway run out.
const waysOut = "What helps: entries that share a port (give those of a policy one explicit by_egress_gateway.port: HTTP entries are told apart " +
	"by Host, hosts of HTTPS, TLS and TCP entries by server name), a second istio_egress_gateway for further policies, or explicit ports outside this range."

// scarcity warns of a range that fills up, as this process saw it first.
func scarcity(p policy.Policy, taken map[int64]string, reserved map[string]int64) diag.Diagnostics {
	// A thousand policies of a gateway come by here: count when it may be true.
	if len(taken)+len(reserved) < int(ports.Last-ports.First)/2 {
		return nil
	}
	left := ports.Left(func(port int64) bool {
		_, isTaken := taken[port]
		return isTaken || has(reserved, port)
	})
	if left >= ports.Scarce {
		return nil
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("by_egress_gateway"), "The gateway's ports run out",
		diagnose.PortTaken.With(fmt.Sprintf("Of the ports from %d to %d, gateway %s has %d left. When none is, "+
			"a new entry without an explicit port fails to apply; what has a port keeps it. %s",
			ports.First, ports.Last, gatewayName(p), left, waysOut)))}
}

// noneLeft says that no port is left for a slot, and who has many.
func noneLeft(p policy.Policy, slot ports.Slot, taken map[int64]string) error {
	held := map[string]int{}
	for port, holder := range taken {
		if ports.Assignable(port) {
			held[holder]++
		}
	}
	most := ""
	for holder, n := range held {
		if n > 1 && (n > held[most] || n == held[most] && holder < most) {
			most = holder
		}
	}
	who := ""
	if most != "" {
		who = fmt.Sprintf(" %s alone has %d of them.", most, held[most])
	}
	return &attributeError{
		path:    path.Root("by_egress_gateway"),
		summary: "No free port on the gateway",
		detail: diagnose.PortTaken.With(fmt.Sprintf("Every port from %d to %d of gateway %s is in use, so %q cannot get one.%s %s",
			ports.First, ports.Last, gatewayName(p), slot.Key, who, waysOut)),
	}
}

// reserveSlot tries the candidates until one is ours; the port is 0 if none is.
// After an error it returns the last one that it tried.
func (r *Resource) reserveSlot(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, slot ports.Slot, candidates sequence) (manifest.Object, int64, error) {
	for port := range candidates {
		object := policy.GatewayObject(p, r.provider.Mesh, slot, port)
		ours, err := client.Reserve(ctx, owner, object)
		if ours || err != nil {
			return object, port, err
		}
		if slot.Explicit != 0 {
			return manifest.Object{}, 0, r.justTaken(ctx, client, p, slot, object)
		}
	}
	return manifest.Object{}, 0, nil
}

// all is the index that finds every object under "".
var all = &cluster.Index{Keys: func(*unstructured.Unstructured) []string { return []string{""} }}

// surroundings returns the ports that somebody else has on the gateway's
// pods, and those that an apply of this instance which did not finish has
// reserved.
func (r *Resource) surroundings(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy) (taken map[int64]string, resumed map[string]int64, err error) {
	taken, err = r.provider.TakenPorts(*p.ByEgressGateway, func() (map[int64]string, error) {
		return takenOn(ctx, client, *p.ByEgressGateway)
	})
	if err != nil {
		return nil, nil, err
	}
	own, err := ownGateways(ctx, client, p.ByEgressGateway.Namespace, owner)
	if err != nil {
		return nil, nil, err
	}
	return taken, policy.LivePorts(p, own), nil
}

// takenOn returns the ports that the LISTs of this process show on the pods of a
// gateway, and whose they are.
func takenOn(ctx context.Context, client *cluster.Client, gateway compile.Reference) (map[int64]string, error) {
	// Gateways of any namespace open ports on the pods that they select. Where
	// only some may be seen, the plan has said so.
	gateways, err := client.Find(ctx, gatewayGVK, all, []string{""}, []string{gateway.Namespace})
	if err != nil {
		return nil, err
	}
	services, err := client.Glance(ctx, serviceGVK, gateway.Namespace, "")
	if err != nil {
		return nil, err
	}
	return policy.TakenPorts(gateway, gateways.Objects, services), nil
}

// clashError says that an assigned port is demanded by another entry.
func clashError(p policy.Policy, clash ports.Clash) *attributeError {
	return &attributeError{
		path:    portPath(p, clash.Demanded),
		summary: "Port is assigned to another entry of this policy",
		detail: fmt.Sprintf("Port %d of gateway %s was assigned to %q at an earlier apply and does not move while that entry exists. "+
			"Choose another port for %q, or leave its by_egress_gateway out.",
			clash.Port, gatewayName(p), clash.Assigned.Key, clash.Demanded.Key),
	}
}

func has(members map[string]int64, port int64) bool {
	for _, other := range members {
		if other == port {
			return true
		}
	}
	return false
}
