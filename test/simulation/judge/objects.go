package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/networking/serviceentry"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// istioConfig turns an object into what istiod reads from the API server. What
// istiod's validation refuses is an error, as it is at the webhook.
func istioConfig(body *unstructured.Unstructured, created time.Time, vips *allocator) (config.Config, error) {
	gvk := body.GroupVersionKind()
	schema, ok := collections.PilotGatewayAPI().FindByGroupVersionAliasesKind(resource.FromKubernetesGVK(&gvk))
	if !ok {
		return config.Config{}, fmt.Errorf("istiod does not read %s", gvk)
	}
	text, err := json.Marshal(body.Object["spec"])
	if err != nil {
		return config.Config{}, err
	}
	spec, err := crd.FromJSON(schema, string(text))
	if err != nil {
		return config.Config{}, err
	}
	cfg := config.Config{
		Meta: config.Meta{
			GroupVersionKind:  schema.GroupVersionKind(),
			Name:              body.GetName(),
			Namespace:         body.GetNamespace(),
			Domain:            "cluster.local",
			Labels:            body.GetLabels(),
			Annotations:       body.GetAnnotations(),
			CreationTimestamp: created,
		},
		Spec: spec,
	}
	if _, err := schema.ValidateConfig(cfg); err != nil {
		return config.Config{}, err
	}
	if serviceentry.ShouldV2AutoAllocateIPFromConfig(cfg) {
		status := &networking.ServiceEntryStatus{}
		for _, host := range spec.(*networking.ServiceEntry).Hosts {
			status.Addresses = append(status.Addresses, &networking.ServiceEntryAddress{Host: host, Value: vips.take()})
		}
		cfg.Status = status
	}
	return cfg, nil
}

// podLabels are the labels of a gateway's pods: those of Istio's chart, and
// what the reference selects.
func podLabels(ref compile.Reference) map[string]string {
	all := map[string]string{"app": ref.Name, compile.GatewayLabel: ref.Name}
	maps.Copy(all, ref.PodSelector())
	return all
}

// pod is a gateway's pod.
func pod(ref compile.Reference, ip string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: objectMeta(ref.Namespace, ref.Name, podLabels(ref), start),
		Spec:       corev1.PodSpec{ServiceAccountName: ref.Name},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			PodIP:      ip,
			PodIPs:     []corev1.PodIP{{IP: ip}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
}

// service turns an object into a Service and what Kubernetes' controller
// makes of it, an EndpointSlice with the gateways' pods that it selects.
func service(s *State, body *unstructured.Unstructured, created time.Time, ip string) (*corev1.Service, *discoveryv1.EndpointSlice) {
	service := &corev1.Service{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(body.Object, service); err != nil {
		panic(fmt.Sprintf("judge: Service %s: %v", body.GetName(), err))
	}
	service.ObjectMeta.CreationTimestamp.Time = created
	service.Spec.ClusterIP = ip
	service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}

	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  objectMeta(service.Namespace, service.Name+"-1", map[string]string{discoveryv1.LabelServiceName: service.Name}, created),
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	maps.Copy(slice.Labels, service.Labels)
	for _, port := range service.Spec.Ports {
		target := int32(port.TargetPort.IntValue())
		if target == 0 {
			target = port.Port
		}
		name, protocol := port.Name, corev1.ProtocolTCP
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &name, Port: &target, Protocol: &protocol})
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	for g, ref := range s.Gateways {
		if ref.Namespace != service.Namespace || !selector.Matches(labels.Set(podLabels(ref))) {
			continue
		}
		ready := true
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{s.gatewayIP(g)},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: ref.Namespace, Name: ref.Name},
		})
	}
	return service, slice
}
