package outbound

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
		labels, _ := selects(sidecar)
		if sidecar.GetName() == *p.Name || contradict(labels, p.WorkloadSelector) {
			continue
		}
		certain := subset(labels, p.WorkloadSelector) || subset(p.WorkloadSelector, labels)
		found = append(found, Overlap{Sidecar: sidecar, Certain: certain})
	}
	return found
}

// contradict reports whether no workload can carry both sets of labels.
func contradict(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return true
		}
	}
	return false
}
