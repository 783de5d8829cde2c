package outbound

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Overlap is a Sidecar that selects workloads of another, too. Istio takes the
// older one of the two and says nothing.
type Overlap struct {
	Sidecar *unstructured.Unstructured
	// Certain is set where one selector holds all labels of the other: then
	// whoever has the more labels has both Sidecars. Otherwise a workload may
	// carry the labels of both, or none may.
	Certain bool
}

// Overlaps returns the other Sidecars of the policy's namespace that select, or
// may select, the same workloads.
func (s Sidecars) Overlaps(p Policy) []Overlap {
	var found []Overlap
	for _, sidecar := range s.selecting(*p.Namespace) {
		labels, _ := Selector(sidecar)
		if sidecar.GetName() == *p.Name || !compile.MayMatch(labels, p.WorkloadSelector) {
			continue
		}
		certain := compile.Selects(labels, p.WorkloadSelector) || compile.Selects(p.WorkloadSelector, labels)
		found = append(found, Overlap{Sidecar: sidecar, Certain: certain})
	}
	return found
}
