package mesh

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/kubelet"
)

// services knows the addresses of Services, for the name server.
type services struct{ lister listers.ServiceLister }

func watchServices(ctx context.Context, client kubernetes.Interface) (services, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	s := services{lister: factory.Core().V1().Services().Lister()}
	informer := factory.Core().V1().Services().Informer()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return s, fmt.Errorf("watch Services: %w", ctx.Err())
	}
	return s, nil
}

// address answers for <service>.<namespace>.svc, with or without the cluster's domain.
func (s services) address(name string) string {
	name = strings.TrimSuffix(name, ".cluster.local")
	if name == kubelet.IstiodName {
		return fabric.Host
	}
	parts := strings.Split(name, ".")
	if len(parts) != 3 || parts[2] != "svc" {
		return ""
	}
	service, err := s.lister.Services(parts[1]).Get(parts[0])
	if err != nil || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return ""
	}
	return service.Spec.ClusterIP
}
