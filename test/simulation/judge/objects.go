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

// intruder is the service account of pods that somebody else runs with the labels of
// the gateway, in its namespace.
const intruder = "intruder"

// holdsIdentity reports whether sidecars know the gateway's service account. Where
// they do, each Service of the gateway leads to an intruder too.
func holdsIdentity(ref compile.Reference) bool {
	return ref.UsesMutualTLS() && ref.ServiceAccount != nil
}

// podName is that of a gateway's pod with a service account.
func podName(ref compile.Reference, account string) string { return ref.Name + "-" + account }

// pod is a pod with the labels of a gateway's.
func pod(ref compile.Reference, account, ip string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: objectMeta(ref.Namespace, podName(ref, account), podLabels(ref), start),
		Spec:       corev1.PodSpec{ServiceAccountName: account},
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
		slice.Endpoints = append(slice.Endpoints, podEndpoint(ref, ref.Name, s.gatewayIP(g)))
		if holdsIdentity(ref) {
			slice.Endpoints = append(slice.Endpoints, podEndpoint(ref, intruder, s.intruderIP(g)))
		}
	}
	return service, slice
}

func podEndpoint(ref compile.Reference, account, ip string) discoveryv1.Endpoint {
	ready := true
	return discoveryv1.Endpoint{
		Addresses:  []string{ip},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: ref.Namespace, Name: podName(ref, account)},
	}
}
