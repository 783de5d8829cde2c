package kubelet

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

const (
	leaseNamespace = "kube-node-lease"
	// heartbeat: after 40 seconds without one the node lifecycle controller marks all
	// pods of the node as not ready.
	heartbeat = 10 * time.Second
)

// startNode reports the Node as Ready and keeps doing so.
func (k *Kubelet) startNode(ctx context.Context) error {
	if err := k.beat(ctx); err != nil {
		return err
	}
	go func() {
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				// A test may have stopped the API server.
				if err := k.beat(ctx); err != nil && ctx.Err() == nil {
					k.Log("node %s: %v", k.Node, err)
				}
			}
		}
	}()
	return nil
}

func (k *Kubelet) beat(ctx context.Context) error {
	nodes := k.Client.CoreV1().Nodes()
	node, err := nodes.Get(ctx, k.Node, metav1.GetOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	since := now
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			since = c.LastTransitionTime
		}
	}
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
		LastHeartbeatTime: now, LastTransitionTime: since,
	}}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fabric.Host}}
	if _, err := nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil && !apierrors.IsConflict(err) {
		return err
	}
	return k.renewLease(ctx)
}

func (k *Kubelet) renewLease(ctx context.Context) error {
	leases := k.Client.CoordinationV1().Leases(leaseNamespace)
	now, seconds := metav1.NowMicro(), int32(40)
	spec := coordinationv1.LeaseSpec{HolderIdentity: &k.Node, LeaseDurationSeconds: &seconds, RenewTime: &now}
	lease, err := leases.Get(ctx, k.Node, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: k.Node}, Spec: spec}, metav1.CreateOptions{})
		if apierrors.IsNotFound(err) {
			return nil // the namespace comes a moment after the API server; next time
		}
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec = spec
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}
