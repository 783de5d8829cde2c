package workload

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// defaultCPUUtilization is what the API server assumes for an autoscaler
// without metrics.
const defaultCPUUtilization int64 = 80

// targets returns the utilization that each resource is scaled by.
func (a Autoscaling) targets() (cpu, memory *int64) {
	if a.CPUUtilization == nil && a.MemoryUtilization == nil {
		fallback := defaultCPUUtilization
		return &fallback, nil
	}
	return a.CPUUtilization, a.MemoryUtilization
}

func (c compiler) autoscaler() manifest.Object {
	a := *c.Autoscaling
	spec := autoscalingv2ac.HorizontalPodAutoscalerSpec().
		WithScaleTargetRef(autoscalingv2ac.CrossVersionObjectReference().
			WithAPIVersion(KindDeployment.GroupVersion().String()).
			WithKind(KindDeployment.Kind).
			WithName(c.Name)).
		WithMinReplicas(int32(or(a.MinReplicas, 1))).
		WithMaxReplicas(int32(a.MaxReplicas))
	cpu, memory := a.targets()
	if cpu != nil {
		spec.WithMetrics(utilization(corev1.ResourceCPU, *cpu))
	}
	if memory != nil {
		spec.WithMetrics(utilization(corev1.ResourceMemory, *memory))
	}
	return c.object(stageControllers, KindAutoscaler, c.Name, map[string]any{"spec": spec})
}

func utilization(resource corev1.ResourceName, percent int64) *autoscalingv2ac.MetricSpecApplyConfiguration {
	return autoscalingv2ac.MetricSpec().
		WithType(autoscalingv2.ResourceMetricSourceType).
		WithResource(autoscalingv2ac.ResourceMetricSource().
			WithName(resource).
			WithTarget(autoscalingv2ac.MetricTarget().
				WithType(autoscalingv2.UtilizationMetricType).
				WithAverageUtilization(int32(percent))))
}
