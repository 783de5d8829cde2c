package simulation

import (
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

// compilation is what the policies of a scenario become, policy by policy.
type compilation [][]manifest.Object

// compilePolicies compiles the policies of a scenario, assigning ports as
// apply does. kept are ports that policies have already, by policy name.
func compilePolicies(s scenario.Scenario, kept map[string]map[string]int64) (compilation, error) {
	taken := map[string]map[int64]bool{}
	for _, p := range s.Policies {
		for _, port := range kept[p.Name] {
			take(taken, p.ByEgressGateway, port)
		}
		for _, slot := range policy.Slots(p) {
			take(taken, p.ByEgressGateway, slot.Explicit)
		}
	}
	var all compilation
	for _, p := range s.Policies {
		slots := policy.Slots(p)
		assigned, clashes := ports.Keep(kept[p.Name], slots)
		if len(clashes) > 0 {
			return nil, fmt.Errorf("policy %s: %v", p.Name, clashes)
		}
		for _, slot := range ports.Missing(assigned, slots) {
			for port := range ports.Candidates(policy.SlotID(p, slot), func(n int64) bool { return taken[gatewayKey(p.ByEgressGateway)][n] }) {
				slot.Set(assigned, port)
				take(taken, p.ByEgressGateway, port)
				break
			}
		}
		objects, err := policy.Objects(p, s.Mesh(), assigned)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		if kept != nil {
			kept[p.Name] = assigned
		}
		all = append(all, objects)
	}
	return all, nil
}

// gatewayKey is what policies share ports by: the name, since Gateway objects
// select the pods of namesakes in other namespaces too.
func gatewayKey(ref *compile.Reference) string {
	if ref == nil {
		return ""
	}
	return ref.Name
}

func take(taken map[string]map[int64]bool, ref *compile.Reference, port int64) {
	key := gatewayKey(ref)
	if taken[key] == nil {
		taken[key] = map[int64]bool{}
	}
	taken[key][port] = true
}

// applied returns what is in the cluster when the lists were applied one after
// the other: an object that is there already keeps its place and gets the new
// content.
func applied(lists ...[]manifest.Object) []manifest.Object {
	var all []manifest.Object
	for _, list := range lists {
		for _, o := range list {
			if i := indexOf(all, o); i >= 0 {
				all[i] = o
			} else {
				all = append(all, o)
			}
		}
	}
	return all
}

func indexOf(objects []manifest.Object, o manifest.Object) int {
	return slices.IndexFunc(objects, func(other manifest.Object) bool { return other.ID() == o.ID() })
}

// collision returns the first object that two policies write though it is not
// a shared one; shared ones must have the same content.
func (c compilation) collision() error {
	seen := map[manifest.ID]manifest.Object{}
	for _, objects := range c {
		for _, o := range objects {
			other, ok := seen[o.ID()]
			seen[o.ID()] = o
			if !ok {
				continue
			}
			if o.Shared == nil || other.Shared == nil {
				return fmt.Errorf("two policies write %s", o.ID())
			}
			if manifest.Canonical(o.Body) != manifest.Canonical(other.Body) {
				return fmt.Errorf("two policies write %s with different content:\n%s\n%s", o.ID(), manifest.Canonical(other.Body), manifest.Canonical(o.Body))
			}
		}
	}
	return nil
}
