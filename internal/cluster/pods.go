package cluster

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Reason is why a rollout does not go on.
type Reason struct {
	// Kind classifies it, for the advice that goes with it.
	Kind ReasonKind
	// Text names the pod or the Deployment and quotes the cluster.
	Text string
	// Final is set where waiting cannot help.
	Final bool
}

// ReasonKind is a class of reasons.
type ReasonKind string

// The classes, each with its own advice in Explain.
const (
	NotInjected   ReasonKind = "NotInjected"
	ImagePull     ReasonKind = "ImagePull"
	Unschedulable ReasonKind = "Unschedulable"
	NotCreated    ReasonKind = "NotCreated"
	NotStarted    ReasonKind = "NotStarted"
	Deadline      ReasonKind = "Deadline"
)

// injectedImage is what a gateway's container says before Istio's injection
// replaces it. A pod that still says so was never injected.
const injectedImage = "auto"

// reasons returns why a Deployment's rollout does not go on; nothing for
// other kinds.
func (c *Client) reasons(ctx context.Context, live *unstructured.Unstructured) ([]Reason, error) {
	if live == nil || live.GroupVersionKind() != deploymentKind {
		return nil, nil
	}
	var deployment appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, &deployment); err != nil {
		return nil, err
	}
	found := deploymentReasons(&deployment)
	selector, err := metav1.LabelSelectorAsSelector(deployment.Spec.Selector)
	if err != nil {
		return found, err
	}
	err = c.each(ctx, listKey{gvk: podKind, namespace: live.GetNamespace(), selector: selector.String()}, pageSize, func(e *entry) bool {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(e.object().Object, &pod) == nil && pod.DeletionTimestamp == nil {
			found = append(found, podReasons(&pod)...)
		}
		return len(found) < 5
	})
	return found, err
}

// deploymentReasons reads the conditions that the controller sets.
func deploymentReasons(deployment *appsv1.Deployment) []Reason {
	var found []Reason
	name := fmt.Sprintf("Deployment %s/%s", deployment.Namespace, deployment.Name)
	for _, condition := range deployment.Status.Conditions {
		switch {
		case condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue:
			// A quota stands until somebody changes it; a webhook may come back.
			final := strings.Contains(condition.Message, "exceeded quota")
			found = append(found, Reason{Kind: NotCreated, Final: final, Text: fmt.Sprintf("%s: pods cannot be created (%s): %s", name, condition.Reason, condition.Message)})
		case condition.Type == appsv1.DeploymentProgressing && condition.Reason == "ProgressDeadlineExceeded":
			found = append(found, Reason{Kind: Deadline, Final: true, Text: fmt.Sprintf("%s: %s", name, condition.Message)})
		}
	}
	return found
}

// podReasons reads what scheduler and kubelet say about one pod.
func podReasons(pod *corev1.Pod) []Reason {
	var found []Reason
	name := fmt.Sprintf("Pod %s/%s", pod.Namespace, pod.Name)
	for _, container := range pod.Spec.Containers {
		if container.Image == injectedImage {
			found = append(found, Reason{Kind: NotInjected, Final: true,
				Text: fmt.Sprintf("%s: Istio did not inject container %s, its image is still %q", name, container.Name, injectedImage)})
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == corev1.PodReasonUnschedulable {
			found = append(found, Reason{Kind: Unschedulable, Text: fmt.Sprintf("%s: no node takes it: %s", name, condition.Message)})
		}
	}
	for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		waiting := container.State.Waiting
		if waiting == nil {
			continue
		}
		kind := NotStarted
		switch waiting.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName":
			kind = ImagePull
		case "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		default:
			continue // ContainerCreating and PodInitializing are progress
		}
		found = append(found, Reason{Kind: kind, Final: waiting.Reason == "InvalidImageName",
			Text: fmt.Sprintf("%s: container %s (image %s) is in %s: %s", name, container.Name, container.Image, waiting.Reason, waiting.Message)})
	}
	return found
}
