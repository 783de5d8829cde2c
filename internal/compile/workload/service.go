package workload

import (
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// ServiceKey returns the manifest key of the gateway's Service.
func ServiceKey(g Gateway) string { return manifest.Key(KindService.Kind, g.Namespace, g.Name) }

// ServiceID returns what the API server knows the gateway's Service by.
func ServiceID(g Gateway) manifest.ID {
	return manifest.ID{GVK: KindService, Namespace: g.Namespace, Name: g.Name}
}

func (c compiler) service() manifest.Object {
	s := or(c.Service, Service{})
	spec := corev1ac.ServiceSpec().
		WithType(corev1.ServiceType(or(s.Type, string(corev1.ServiceTypeClusterIP)))).
		WithSelector(c.podSelector()).
		WithLoadBalancerSourceRanges(s.LoadBalancerSourceRanges...)
	for _, port := range c.Ports {
		spec.WithPorts(servicePort(port))
	}
	for _, family := range s.IPFamilies {
		spec.WithIPFamilies(corev1.IPFamily(family))
	}
	spec.LoadBalancerIP = nonZero(s.LoadBalancerIP)
	spec.LoadBalancerClass = s.LoadBalancerClass
	spec.ExternalTrafficPolicy = typed[corev1.ServiceExternalTrafficPolicy](s.ExternalTrafficPolicy)
	spec.InternalTrafficPolicy = typed[corev1.ServiceInternalTrafficPolicy](s.InternalTrafficPolicy)
	spec.SessionAffinity = typed[corev1.ServiceAffinity](s.SessionAffinity)
	spec.IPFamilyPolicy = typed[corev1.IPFamilyPolicy](s.IPFamilyPolicy)

	object := c.object(stageService, KindService, c.Name, map[string]any{"spec": spec})
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, object.Body.GetLabels())
	object.Body.SetLabels(labels)

	annotations := object.Body.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(annotations, s.Annotations)
	annotations[compile.AnnotationSpec] = c.canonical()
	object.Body.SetAnnotations(annotations)
	return object
}

// canonical returns the intent as one line of JSON: fields in the order of
// their declaration, map keys sorted, attributes that are left out absent.
func (c compiler) canonical() string {
	text, err := json.Marshal(c.Gateway)
	if err != nil {
		panic(fmt.Sprintf("workload: intent of %s is not JSON: %v", c.Name, err))
	}
	return string(text)
}

func servicePort(p Port) *corev1ac.ServicePortApplyConfiguration {
	port := corev1ac.ServicePort().
		WithName(p.Name).
		WithPort(int32(p.Port)).
		WithTargetPort(intstr.FromInt32(int32(p.Target()))).
		WithProtocol(corev1.Protocol(p.Transport()))
	port.AppProtocol = p.AppProtocol
	port.NodePort = int32p(p.NodePort)
	return port
}

// typed turns a string into one of the API's string types.
func typed[T ~string](s *string) *T {
	if s == nil {
		return nil
	}
	t := T(*s)
	return &t
}

// int32p turns Terraform's integers into the API's.
func int32p(n *int64) *int32 {
	if n == nil {
		return nil
	}
	i := int32(*n)
	return &i
}

// nonZero leaves out what the API server does not store: fields that are no
// pointers there lose their zero value, and would read as changed ever after.
func nonZero[T comparable](p *T) *T {
	var zero T
	if p == nil || *p == zero {
		return nil
	}
	return p
}

func ptr[T any](v T) *T { return &v }
