package kubelet

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// Kubelet runs the pods of a Node.
type Kubelet struct {
	// Client of an administrator.
	Client kubernetes.Interface
	// Node is the Node's name.
	Node string
	// Bridge that pods are plugged into.
	Bridge *fabric.Bridge
	// Neighbours are ranges that pods reach on the bridge.
	Neighbours []string
	// Dir is an empty folder in which user 1337 may look for its own.
	Dir string
	// Agent, Envoy and Bootstrap are the paths of pilot-agent, of envoy and of its
	// bootstrap template, all readable for user 1337.
	Agent, Envoy, Bootstrap string
	// Istiod is the address, host:port, of istiod's port for proxies; its certificate
	// carries the host.
	Istiod string
	// CA is the path of the certificate that workloads trust.
	CA string
	// Log gets a line for what goes wrong.
	Log func(format string, args ...any)

	mu   sync.Mutex
	pods map[types.UID]*pod
}

// Start makes the Node Ready and runs its pods until the context ends. It returns
// when the Node is there.
func (k *Kubelet) Start(ctx context.Context) error {
	k.pods = map[types.UID]*pod{}
	if err := k.startNode(ctx); err != nil {
		return fmt.Errorf("node %s: %w", k.Node, err)
	}
	watch := cache.NewListWatchFromClient(k.Client.CoreV1().RESTClient(), "pods", corev1.NamespaceAll,
		fields.OneTermEqualSelector("spec.nodeName", k.Node))
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: watch, ObjectType: &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { k.see(ctx, object.(*corev1.Pod)) },
			UpdateFunc: func(_, object any) { k.see(ctx, object.(*corev1.Pod)) },
			DeleteFunc: func(object any) {
				if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
					object = unknown.Obj
				}
				k.forget(object.(*corev1.Pod))
			},
		},
	})
	go controller.RunWithContext(ctx)
	return nil
}

// see starts a pod that is new and ends one that is being deleted.
func (k *Kubelet) see(ctx context.Context, object *corev1.Pod) {
	k.mu.Lock()
	p := k.pods[object.UID]
	if p == nil && object.DeletionTimestamp == nil && object.Status.Phase == corev1.PodPending {
		p = newPod(k, object)
		k.pods[object.UID] = p
		go p.live(ctx)
	}
	k.mu.Unlock()
	if object.DeletionTimestamp == nil {
		return
	}
	if p == nil {
		// Deleted before it was started.
		go k.remove(ctx, object)
		return
	}
	p.end(graceOf(object))
}

// forget ends what is left of a pod that is no longer there: it was deleted
// without grace.
func (k *Kubelet) forget(object *corev1.Pod) {
	k.mu.Lock()
	p := k.pods[object.UID]
	delete(k.pods, object.UID)
	k.mu.Unlock()
	if p != nil {
		p.end(0)
	}
}
