package outbound

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Policy is the intent: the attributes that the user writes. Pointers and maps
// are nil where the configuration says nothing.
type Policy struct {
	Mode             string            `tfsdk:"mode"`
	Namespace        *string           `tfsdk:"namespace"`
	Name             *string           `tfsdk:"name"`
	WorkloadSelector map[string]string `tfsdk:"workload_selector"`
	Revision         *string           `tfsdk:"revision"`
}

// Scope is for whom a policy speaks.
type Scope string

// The scopes, widest first.
const (
	Mesh      Scope = "mesh"
	Namespace Scope = "namespace"
	Workload  Scope = "workload"
)

// Scope returns the scope that the attributes make.
func (p Policy) Scope() Scope {
	switch {
	case p.Namespace == nil:
		return Mesh
	case p.WorkloadSelector == nil:
		return Namespace
	}
	return Workload
}

// RevisionIn returns the revision of the control plane that the policy is for:
// its own, else that of the provider block; empty for the default one.
func (p Policy) RevisionIn(mesh compile.Mesh) string {
	if p.Revision != nil {
		return *p.Revision
	}
	return mesh.Revision
}

// For says for whom a policy speaks, in words.
func (p Policy) For(mesh compile.Mesh) string {
	switch p.Scope() {
	case Mesh:
		if revision := p.RevisionIn(mesh); revision != "" {
			return fmt.Sprintf("every workload of the mesh (revision %s)", revision)
		}
		return "every workload of the mesh"
	case Namespace:
		return "every workload of namespace " + *p.Namespace
	}
	return fmt.Sprintf("the workloads %s of namespace %s", labelText(p.WorkloadSelector), *p.Namespace)
}

// labelText prints labels as "app=a,version=v1".
func labelText(labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return strings.Join(pairs, ",")
}
