package lab

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// Labels of a pod.
type Labels = map[string]string

// Pod is a pod that was ready when it was looked for.
type Pod struct {
	Namespace, Name, IP, ServiceAccount string
	UID                                 types.UID
}

// String is namespace/name.
func (p Pod) String() string { return p.Namespace + "/" + p.Name }

// patience bounds every wait for something that takes a moment.
const patience = 60 * time.Second

// Workload is a Deployment of one pod.
type Workload struct {
	Namespace, Name string
	// Account is the ServiceAccount that the pod runs as; it is made if it is missing.
	Account string
	// Labels of the pod, to which lab=<name> is added.
	Labels Labels
}

// Run makes the Deployments, all at once, and waits until their pods are ready.
func (l *Lab) Run(workloads ...Workload) []Pod {
	l.t.Helper()
	for _, w := range workloads {
		l.deploy(w)
	}
	var pods []Pod
	for _, w := range workloads {
		pods = append(pods, l.Pods(w.Namespace, Labels{"lab": w.Name}, 1)...)
	}
	return pods
}

func (l *Lab) deploy(w Workload) {
	l.t.Helper()
	all := Labels{"lab": w.Name}
	maps.Copy(all, w.Labels)
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": w.Name},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"lab": w.Name}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": all, "annotations": map[string]any{
					"proxy.istio.io/config": fmt.Sprintf("{proxyMetadata: {OUTPUT_CERTS: %s}}", sandbox.Identity),
				}},
				"spec": map[string]any{
					"serviceAccountName":            w.Account,
					"terminationGracePeriodSeconds": 1,
					"containers":                    []any{map[string]any{"name": "app", "image": "lab.invalid/workload"}},
				},
			},
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.Kube.CoreV1().ServiceAccounts(w.Namespace).Get(l.t.Context(), w.Account, metav1.GetOptions{}); err != nil {
		l.Apply(w.Namespace, fmt.Sprintf("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s}\n", w.Account))
	}
	l.Apply(w.Namespace, string(text))
}

// Pods waits until exactly that many pods have the labels (any, without a selector), and
// all are ready.
func (l *Lab) Pods(namespace string, selector Labels, count int) []Pod {
	l.t.Helper()
	var ready []Pod
	l.Eventually(fmt.Sprintf("%d ready pods %v in %s", count, selector, namespace), func(ctx context.Context) error {
		list, err := l.Kube.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(selector).String()})
		if err != nil {
			return err
		}
		ready = nil
		var others []string
		for _, pod := range list.Items {
			if isReady(pod) {
				ready = append(ready, Pod{Namespace: namespace, Name: pod.Name, IP: pod.Status.PodIP, UID: pod.UID, ServiceAccount: pod.Spec.ServiceAccountName})
				continue
			}
			others = append(others, fmt.Sprintf("%s %s %s %s", pod.Name, pod.Status.Phase, pod.Status.Message, l.tail(pod.UID)))
		}
		if len(ready) != count || len(others) > 0 {
			return fmt.Errorf("%d ready, others: %s", len(ready), strings.Join(others, "\n"))
		}
		return nil
	})
	return ready
}

func isReady(pod corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Kill ends a pod's processes behind everybody's back, and waits until the kubelet has
// said so.
func (l *Lab) Kill(pod Pod) {
	l.t.Helper()
	if err := l.mesh.Kill(pod.UID); err != nil {
		l.t.Fatal(err)
	}
	l.Eventually("the end of "+pod.String(), func(ctx context.Context) error {
		object, err := l.Kube.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil // somebody has cleaned up already
		}
		if err == nil && object.Status.Phase != corev1.PodFailed {
			err = fmt.Errorf("it is %s", object.Status.Phase)
		}
		return err
	})
}

// Log returns what the proxy of a pod has written.
func (l *Lab) Log(pod Pod) string {
	l.t.Helper()
	text, err := os.ReadFile(l.mesh.LogFile(pod.UID, mesh.Proxy))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

func (l *Lab) tail(uid types.UID) string {
	text, _ := os.ReadFile(l.mesh.LogFile(uid, mesh.Proxy))
	return string(text[max(0, len(text)-1500):])
}

// Eventually waits until check returns nil, and fails the test with its last error.
func (l *Lab) Eventually(what string, check func(context.Context) error) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil {
			last = err // not that of a check that the deadline has cut short
		}
		select {
		case <-ctx.Done():
			l.t.Fatalf("%s: %v", what, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
