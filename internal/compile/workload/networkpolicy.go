package workload

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// networkPolicy lets pods with a sidecar, of any namespace, reach every port
// of the gateway: which ports policies open is not known here, and which of
// them a caller may use is decided by Istio. Health and metrics are open to
// all, since kubelets, load balancers and Prometheus have no sidecar. What the
// gateway itself may reach is left alone.
func (c compiler) networkPolicy() manifest.Object {
	mesh := networkingv1ac.NetworkPolicyPeer().
		WithNamespaceSelector(metav1ac.LabelSelector()).
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{labelTLSMode: tlsModeIstio}))
	probes := networkingv1ac.NetworkPolicyIngressRule()
	for _, port := range []int{portHealth, portMetrics, portEnvoyMetrics} {
		probes.WithPorts(networkingv1ac.NetworkPolicyPort().
			WithProtocol(corev1.ProtocolTCP).
			WithPort(intstr.FromInt(port)))
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(c.podSelector())).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(networkingv1ac.NetworkPolicyIngressRule().WithFrom(mesh), probes)
	return c.object(stageGuards, KindNetworkPolicy, c.Name, map[string]any{"spec": spec})
}
