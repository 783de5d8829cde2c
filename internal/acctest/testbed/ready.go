package testbed

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// nodesReady waits until all nodes are Ready and without the taint that a new one
// has, and until namespace default has its ServiceAccount: from then on a pod can
// be created and runs.
func (cp *ControlPlane) nodesReady(ctx context.Context, client kubernetes.Interface, want int) error {
	return cp.kwok.await(ctx, "nodes becoming Ready", func(ctx context.Context) error {
		if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		ready := 0
		for _, node := range list.Items {
			if isReady(node) && len(node.Spec.Taints) == 0 {
				ready++
			}
		}
		if ready < want {
			return fmt.Errorf("%d of %d nodes ready: %w", ready, want, errNotYet)
		}
		return nil
	})
}

func isReady(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
