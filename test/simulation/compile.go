package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// read are the kinds of a gateway's objects that istiod reads.
var read = []string{"Service", "AuthorizationPolicy", "Telemetry"}

// gatewayObjects returns what is there before any policy: the users' Sidecars,
// and the objects that the gateways consist of, as far as istiod reads them.
func gatewayObjects(s scenario.Scenario) []manifest.Object {
	var all []manifest.Object
	for _, sidecar := range s.Sidecars {
		all = append(all, sidecarObject(sidecar))
	}
	for _, ref := range s.Gateways {
		g := workload.Defaults()
		g.Name, g.Namespace = ref.Name, ref.Namespace
		g.MutualTLS = ref.UsesMutualTLS()
		if ref.Authorization != nil {
			g.Authorization = *ref.Authorization
		}
		for _, o := range workload.Objects(g, s.Mesh()) {
			if slices.Contains(read, o.Body.GetKind()) {
				keepInside(s, o)
				all = append(all, o)
			}
		}
	}
	return all
}

func sidecarObject(s scenario.Sidecar) manifest.Object {
	hosts := []any{}
	for _, h := range s.Hosts {
		hosts = append(hosts, h)
	}
	spec := map[string]any{"egress": []any{map[string]any{"hosts": hosts}}}
	if s.RegistryOnly != nil {
		mode := "ALLOW_ANY"
		if *s.RegistryOnly {
			mode = "REGISTRY_ONLY"
		}
		spec["outboundTrafficPolicy"] = map[string]any{"mode": mode}
	}
	body := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "spec": spec,
	}}
	body.SetNamespace(s.Namespace)
	body.SetName("default")
	return manifest.Object{Key: manifest.Key("Sidecar", s.Namespace, "default"), Body: body}
}

// keepInside hides a gateway's Service, which a whole mesh sees, from the
// other states of a generator process.
func keepInside(s scenario.Scenario, o manifest.Object) {
	if o.Body.GetKind() != "Service" {
		return
	}
	seen := map[string]bool{}
	for _, ref := range s.Gateways {
		seen[ref.Namespace] = true
	}
	for _, w := range s.Workloads {
		seen[w.Namespace] = true
	}
	annotations := maps.Clone(o.Body.GetAnnotations())
	annotations[compile.AnnotationExportTo] = strings.Join(slices.Sorted(maps.Keys(seen)), ",")
	o.Body.SetAnnotations(annotations)
}

// errClash is an update that the resource refuses: a port that is assigned to
// an entry which stays is demanded for another.
var errClash = errors.New("port is assigned to another entry")

// compilation is what the policies of a scenario become, policy by policy.
type compilation struct {
	objects [][]manifest.Object
	// ports are the container ports, by policy name.
	ports map[string]map[string]int64
}

// compilePolicies compiles the policies of a scenario one after the other,
// assigning ports as the resource does: from what the cluster holds by then.
// kept are ports that policies have already.
func compilePolicies(s scenario.Scenario, kept map[string]map[string]int64) (compilation, error) {
	all := compilation{ports: map[string]map[string]int64{}}
	for _, p := range s.Policies {
		assigned, err := all.assign(s, p, kept)
		if err != nil {
			return all, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		objects, err := policy.Objects(p, s.Mesh(), assigned)
		if err != nil {
			return all, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		all.ports[p.Name] = assigned
		all.objects = append(all.objects, objects)
	}
	return all, nil
}

// assign gives the slots of a policy their ports.
func (c compilation) assign(s scenario.Scenario, p policy.Policy, kept map[string]map[string]int64) (map[string]int64, error) {
	slots := policy.Slots(p)
	assigned, clashes := ports.Keep(kept[p.Name], slots)
	if len(clashes) > 0 {
		return nil, fmt.Errorf("%w: %v", errClash, clashes)
	}
	missing := ports.Missing(assigned, slots)
	if len(missing) == 0 {
		return assigned, nil
	}
	var gateways, services []*unstructured.Unstructured
	for _, objects := range c.objects {
		for _, o := range objects {
			switch o.Body.GetKind() {
			case "Gateway":
				gateways = append(gateways, o.Body)
			case "Service":
				services = append(services, o.Body)
			}
		}
	}
	taken := policy.TakenPorts(*p.ByEgressGateway, gateways, services)
	for _, port := range assigned {
		taken[port] = p.Name
	}
	for _, other := range s.Policies {
		// What others have, or ask for by number, is theirs.
		if other.Name == p.Name || other.ByEgressGateway == nil {
			continue
		}
		for _, port := range kept[other.Name] {
			taken[port] = other.Name
		}
		for _, slot := range policy.Slots(other) {
			taken[slot.Explicit] = other.Name
		}
	}
	for _, slot := range missing {
		for port := range ports.Candidates(policy.SlotID(p, slot), func(n int64) bool {
			_, isTaken := taken[n]
			return isTaken
		}) {
			slot.Set(assigned, port)
			taken[port] = p.Name
			break
		}
	}
	return assigned, nil
}

// collision returns the first object that two policies write though it is not
// a shared one; shared ones must have the same content.
func (c compilation) collision() error {
	seen := map[manifest.ID]manifest.Object{}
	for _, objects := range c.objects {
		for _, o := range objects {
			id := o.ID()
			other, ok := seen[id]
			seen[id] = o
			if !ok {
				continue
			}
			if o.Shared == nil || other.Shared == nil {
				return fmt.Errorf("two policies write %s", id)
			}
			if manifest.Canonical(o.Body) != manifest.Canonical(other.Body) {
				return fmt.Errorf("two policies write %s with different content:\n%s\n%s", id, manifest.Canonical(other.Body), manifest.Canonical(o.Body))
			}
		}
	}
	return nil
}

// settled returns all that is in the cluster when every policy is applied.
func (c compilation) settled(s scenario.Scenario) inCluster {
	return holding(append([][]manifest.Object{gatewayObjects(s)}, c.objects...)...)
}
