package workload

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// DeploymentID returns what the API server knows the gateway's Deployment by.
func DeploymentID(g Gateway) manifest.ID {
	return manifest.ID{GVK: KindDeployment, Namespace: g.Namespace, Name: g.Name}
}

func (c compiler) deployment() manifest.Object {
	template := corev1ac.PodTemplateSpec().
		WithLabels(c.podLabels()).
		WithAnnotations(c.podAnnotations()).
		WithSpec(c.podSpec())
	spec := appsv1ac.DeploymentSpec().
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(c.podSelector())).
		WithTemplate(template)
	// An autoscaler owns the number: sending it would undo every scaling.
	if c.Autoscaling == nil {
		spec.Replicas = int32p(c.Replicas)
	}
	if r := c.RollingUpdate; r != nil {
		rolling := appsv1ac.RollingUpdateDeployment()
		rolling.MaxUnavailable = amount(r.MaxUnavailable)
		rolling.MaxSurge = amount(r.MaxSurge)
		spec.WithStrategy(appsv1ac.DeploymentStrategy().
			WithType(appsv1.RollingUpdateDeploymentStrategyType).
			WithRollingUpdate(rolling))
	}
	return c.object(stagePods, KindDeployment, c.Name, map[string]any{"spec": spec})
}

// podLabels returns the labels of the pods: the configuration's, and over
// them those that injection, selection and the data plane depend on.
func (c compiler) podLabels() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, or(c.Pod, Pod{}).Labels)
	maps.Copy(labels, compile.BaseLabels(c.revision()))
	maps.Copy(labels, c.podSelector())
	labels[labelName] = c.Name
	labels[labelInject] = "true"
	labels[labelDataplane] = "none"
	return labels
}

func (c compiler) podAnnotations() map[string]string {
	annotations := map[string]string{
		"prometheus.io/port":   "15020",
		"prometheus.io/scrape": "true",
		"prometheus.io/path":   "/stats/prometheus",
	}
	maps.Copy(annotations, or(c.Pod, Pod{}).Annotations)
	annotations[annotationTemplates] = "gateway"
	annotations[labelInject] = "true"
	return annotations
}
