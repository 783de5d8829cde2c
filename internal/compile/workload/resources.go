package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// DefaultResources are those of Istio's gateway chart.
var DefaultResources = Resources{
	Requests: map[string]string{"cpu": "100m", "memory": "128Mi"},
	Limits:   map[string]string{"cpu": "2000m", "memory": "1Gi"},
}

// EqualQuantity reports whether two texts are the same quantity, such as
// "0.1" and "100m".
func EqualQuantity(a, b string) bool {
	x, err := resource.ParseQuantity(a)
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(b)
	return err == nil && x.Cmp(y) == 0
}

func (c compiler) resources() *corev1ac.ResourceRequirementsApplyConfiguration {
	r := or(c.Resources, DefaultResources)
	requirements := corev1ac.ResourceRequirements()
	if len(r.Requests) > 0 {
		requirements.WithRequests(quantities(r.Requests))
	}
	if len(r.Limits) > 0 {
		requirements.WithLimits(quantities(r.Limits))
	}
	return requirements
}

// quantities parses a valid map of quantities; they print in their canonical
// form, so the same values are the same object.
func quantities(texts map[string]string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, text := range texts {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			panic(fmt.Sprintf("workload: quantity %q was not validated: %v", text, err))
		}
		list[corev1.ResourceName(name)] = quantity
	}
	return list
}
