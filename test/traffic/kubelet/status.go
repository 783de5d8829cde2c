package kubelet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// probe reports the pod as running and then whenever its readiness changes.
func (p *pod) probe(ctx context.Context) {
	ready := false
	p.report(ctx, corev1.PodRunning, ready, "")
	for {
		now := p.ready(ctx)
		if now != ready && ctx.Err() == nil {
			ready = now
			p.report(ctx, corev1.PodRunning, ready, "")
		}
		interval := 50 * time.Millisecond
		if ready {
			interval = time.Second
		}
		if !pause(ctx, interval) {
			return
		}
	}
}

// ready asks the readiness probes of all containers that run.
func (p *pod) ready(ctx context.Context) bool {
	for _, container := range append(append([]corev1.Container{}, p.object.Spec.InitContainers...), p.object.Spec.Containers...) {
		if container.Name != proxyContainer || container.ReadinessProbe == nil || container.ReadinessProbe.HTTPGet == nil {
			continue
		}
		get := container.ReadinessProbe.HTTPGet
		url := fmt.Sprintf("http://%s%s", net.JoinHostPort(p.address, get.Port.String()), get.Path)
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := probeClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

var probeClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// report writes the pod's status, until the API server takes it.
func (p *pod) report(ctx context.Context, phase corev1.PodPhase, ready bool, message string) {
	pods := p.kubelet.Client.CoreV1().Pods(p.object.Namespace)
	for {
		object, err := pods.Get(ctx, p.object.Name, metav1.GetOptions{})
		if err == nil && object.UID == p.object.UID {
			p.fill(&object.Status, phase, ready, message)
			_, err = pods.UpdateStatus(ctx, object, metav1.UpdateOptions{})
		}
		if err == nil || apierrors.IsNotFound(err) {
			return
		}
		if !apierrors.IsConflict(err) && ctx.Err() == nil {
			p.kubelet.Log("pod %s/%s: status: %v", p.object.Namespace, p.object.Name, err)
		}
		if !p.wait(ctx) {
			return
		}
	}
}

func (p *pod) fill(status *corev1.PodStatus, phase corev1.PodPhase, ready bool, message string) {
	now := metav1.Now()
	status.Phase, status.Message = phase, message
	status.HostIP, status.HostIPs = fabric.Host, []corev1.HostIP{{IP: fabric.Host}}
	status.PodIP, status.PodIPs = p.address, []corev1.PodIP{{IP: p.address}}
	if status.StartTime == nil {
		status.StartTime = &now
	}
	is := func(b bool) corev1.ConditionStatus {
		if b {
			return corev1.ConditionTrue
		}
		return corev1.ConditionFalse
	}
	set := func(kind corev1.PodConditionType, value corev1.ConditionStatus) {
		for i := range status.Conditions {
			if c := &status.Conditions[i]; c.Type == kind {
				if c.Status != value {
					c.Status, c.LastTransitionTime = value, now
				}
				return
			}
		}
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: value, LastTransitionTime: now})
	}
	running := phase == corev1.PodRunning
	set(corev1.PodInitialized, is(running))
	set(corev1.ContainersReady, is(ready))
	set(corev1.PodReady, is(ready))
	status.InitContainerStatuses, status.ContainerStatuses = nil, nil
	for _, container := range p.object.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, containerStatus(container, running, ready, now))
	}
	for _, container := range p.object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(container, running, ready, now))
	}
}

func containerStatus(container corev1.Container, running, ready bool, now metav1.Time) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name: container.Name, Image: container.Image, ImageID: container.Image,
		ContainerID: "lab://" + container.Name, Ready: ready, Started: &running,
	}
	switch {
	case !running:
		status.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, FinishedAt: now}
	case runsOnce(container):
		// Of an init container, ready means that it has done its work.
		started := false
		status.Ready, status.Started = true, &started
		status.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", FinishedAt: now}
	default:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: now}
	}
	return status
}
