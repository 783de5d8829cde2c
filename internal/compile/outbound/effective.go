package outbound

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Level is where an effective mode comes from.
type Level string

// The levels, the strongest first.
const (
	LevelWorkload  Level = "workload"
	LevelNamespace Level = "namespace"
	LevelRoot      Level = "root_namespace"
	LevelMesh      Level = "mesh"
	// LevelDefault is Istio's own default, where no level says a mode.
	LevelDefault Level = "default"
)

// MeshMode is what the mesh configs say together.
type MeshMode struct {
	// Mode is empty if they say none.
	Mode string
	// Object is the "ConfigMap/namespace/name" that says it.
	Object string
	// Unknown is set where they could not be read.
	Unknown bool
}

// Effective is what holds for some workloads today.
type Effective struct {
	Level Level
	// Object is the "Kind/namespace/name" that says the mode; empty for
	// Istio's default.
	Object string
	// Mode is empty where the mesh config could not be read.
	Mode string
}

// Effective returns what holds for the workloads that a policy speaks for:
// those of a namespace that no narrower Sidecar selects, those that carry the
// labels of a selector and no more, those of a namespace without Sidecars.
func (s Sidecars) Effective(p Policy, mesh MeshMode) Effective {
	switch p.Scope() {
	case Workload:
		return s.Of(*p.Namespace, p.WorkloadSelector, mesh)
	case Namespace:
		return s.Of(*p.Namespace, nil, mesh)
	}
	return s.Elsewhere(mesh)
}

// Of returns what holds for a workload with these labels.
//
// istiod takes one Sidecar for a workload, the first that selects it, else the
// namespace's without a selector, else the root namespace's. If that one says
// no mode the mesh config does, not the next Sidecar
// (pilot/pkg/model/push_context.go, doGetSidecarScope; model/sidecar.go,
// initSidecarScopeInternalIndexes).
func (s Sidecars) Of(namespace string, labels map[string]string, mesh MeshMode) Effective {
	for _, sidecar := range s.selecting(namespace) {
		if wanted, _ := Selector(sidecar); compile.Selects(wanted, labels) {
			return says(LevelWorkload, sidecar, mesh)
		}
	}
	if sidecar := s.Plain(namespace); sidecar != nil {
		level := LevelNamespace
		if namespace == s.root {
			level = LevelRoot
		}
		return says(level, sidecar, mesh)
	}
	return s.Elsewhere(mesh)
}

// Elsewhere returns what holds where a namespace has no Sidecar.
func (s Sidecars) Elsewhere(mesh MeshMode) Effective {
	if sidecar := s.Root(); sidecar != nil {
		return says(LevelRoot, sidecar, mesh)
	}
	return ofMesh(mesh)
}

func says(level Level, sidecar *unstructured.Unstructured, mesh MeshMode) Effective {
	if mode := ModeOf(sidecar); mode != "" {
		return Effective{Level: level, Object: manifest.Key(KindSidecar.Kind, sidecar.GetNamespace(), sidecar.GetName()), Mode: mode}
	}
	return ofMesh(mesh)
}

func ofMesh(mesh MeshMode) Effective {
	switch {
	case mesh.Unknown:
		return Effective{Level: LevelMesh}
	case mesh.Mode == "":
		return Effective{Level: LevelDefault, Mode: meshconfig.Default}
	}
	return Effective{Level: LevelMesh, Object: mesh.Object, Mode: mesh.Mode}
}

// Found is one live Sidecar and what holds for its workloads.
type Found struct {
	Namespace, Name string
	// Selector is nil for a Sidecar without one.
	Selector map[string]string
	Effective
}

// All returns every Sidecar with what holds for the workloads that it is
// for. One that is never used, because an older one of its namespace is for
// the same workloads, shows with what that one says.
func (s Sidecars) All(mesh MeshMode) []Found {
	var found []Found
	for _, sidecar := range s.all {
		labels, _ := Selector(sidecar)
		found = append(found, Found{
			Namespace: sidecar.GetNamespace(), Name: sidecar.GetName(), Selector: labels,
			Effective: s.Of(sidecar.GetNamespace(), labels, mesh),
		})
	}
	return found
}
