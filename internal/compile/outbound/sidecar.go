package outbound

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// DefaultName is what the Sidecar of a namespace is called, by Istio's own
// convention.
const DefaultName = "default"

// everything is the egress of a workload that no Sidecar applies to.
var everything = []any{map[string]any{"hosts": []any{"*/*"}}}

// Hidden returns the Sidecar that a new one for this scope hides: the one that
// its workloads have without it. It is nil if they have none.
//
// Workloads take the first Sidecar that is for them and no other one: what the
// namespace's or the root namespace's says of imported hosts, ports and
// connections ends where a narrower one begins
// (pilot/pkg/model/push_context.go, doGetSidecarScope).
//
// A Sidecar of this provider repeats the root namespace's and sets the mode:
// what it says besides is read where it has it from, so that a change there
// reaches both in one apply.
func (s Sidecars) Hidden(p Policy) *unstructured.Unstructured {
	if p.Scope() == Workload {
		if sidecar := s.Plain(*p.Namespace); sidecar != nil && sidecar.GetLabels()[compile.LabelManagedBy] != compile.ProviderName {
			return sidecar
		}
	}
	return s.Root()
}

// Sidecar compiles a Sidecar of the policy's own: what the hidden one says,
// with the policy's mode. Hosts are copied as they stand: "." is the namespace
// of the workload in the root namespace's Sidecar too (pilot/pkg/model/sidecar.go).
func Sidecar(p Policy, mesh compile.Mesh, hidden *unstructured.Unstructured) manifest.Object {
	spec := map[string]any{}
	if hidden != nil {
		if live, ok := hidden.Object["spec"].(map[string]any); ok {
			spec, _ = withoutNulls(runtime.DeepCopyJSON(live)).(map[string]any)
		}
	}
	outbound := map[string]any{"mode": p.Mode}
	// A proxy for unknown traffic goes together with ALLOW_ANY only
	// (istio.io/istio/pkg/config/validation, validateSidecarOutboundTrafficPolicy).
	if proxy, ok, _ := unstructured.NestedFieldCopy(spec, "outboundTrafficPolicy", "egressProxy"); ok && p.Mode == meshconfig.AllowAny {
		outbound["egressProxy"] = proxy
	}
	spec["outboundTrafficPolicy"] = outbound
	if hidden == nil {
		spec["egress"] = runtime.DeepCopyJSONValue(everything)
	}
	name := DefaultName
	if p.Scope() == Workload {
		name = *p.Name
		labels := map[string]any{}
		for key, value := range p.WorkloadSelector {
			labels[key] = value
		}
		spec["workloadSelector"] = map[string]any{"labels": labels}
	}

	body := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	body.SetGroupVersionKind(KindSidecar)
	body.SetNamespace(*p.Namespace)
	body.SetName(name)
	body.SetLabels(compile.BaseLabels(p.RevisionIn(mesh)))
	return manifest.Object{Key: manifest.Key(KindSidecar.Kind, *p.Namespace, name), Body: body}
}

// withoutNulls drops the nulls of a live object: the API server refuses them
// in an applied one.
func withoutNulls(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			if below == nil {
				delete(value, key)
				continue
			}
			value[key] = withoutNulls(below)
		}
	case []any:
		for i, below := range value {
			value[i] = withoutNulls(below)
		}
	}
	return value
}

// ModeField is the path of the mode in a Sidecar.
func ModeField() []string { return []string{"spec", "outboundTrafficPolicy", "mode"} }

// ModeOf returns the mode that a Sidecar says, empty if none. One without a
// mode in its outboundTrafficPolicy says REGISTRY_ONLY, the zero value.
func ModeOf(sidecar *unstructured.Unstructured) string {
	policy, ok, _ := unstructured.NestedMap(sidecar.Object, "spec", "outboundTrafficPolicy")
	if !ok || policy == nil {
		return ""
	}
	if mode, ok := policy["mode"].(string); ok {
		return mode
	}
	return meshconfig.RegistryOnly
}
