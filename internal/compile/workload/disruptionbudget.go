package workload

import (
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

func (c compiler) disruptionBudget() manifest.Object {
	spec := policyv1ac.PodDisruptionBudgetSpec().
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(c.podSelector()))
	spec.MinAvailable = amount(c.PodDisruptionBudget.MinAvailable)
	spec.MaxUnavailable = amount(c.PodDisruptionBudget.MaxUnavailable)
	return c.object(stageControllers, KindDisruptionBudget, c.Name, map[string]any{"spec": spec})
}

// amount turns "2" into an integer and "25%" into a percentage.
func amount(s *string) *intstr.IntOrString {
	if s == nil {
		return nil
	}
	value := intstr.Parse(*s)
	return &value
}
