package policy

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// One ClusterIP Service for each policy, in the gateway's namespace, that
// selects the gateway's pods: a host of the policy's own for the sidecars'
// DestinationRules, which nobody else writes about. Its annotation exportTo
// names the source namespaces: no other sidecar hears of it, and it is how the
// users of `<gateway>-from-<namespace>` are found.

// serviceHost is the DNS name of the policy's Service.
func (l *layout) serviceHost() string {
	return l.mesh.ServiceHost(ServiceName(l.policy.Name), l.ref.Namespace)
}

func (l *layout) service(assigned map[string]int64) manifest.Object {
	labels := l.labels()
	labels[compile.LabelGateway] = l.ref.Name
	labels[compile.LabelNoPortTranslation] = "true"
	service := applycore.Service(ServiceName(l.policy.Name), l.ref.Namespace).
		WithSpec(applycore.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(l.ref.PodSelector()).
			WithPorts(l.servicePorts(assigned)...))
	text, err := json.Marshal(service)
	fields := toMap(service, text, err)
	delete(fields, "metadata")
	return object(stageService, newBody("v1", "Service", meta{
		name: ServiceName(l.policy.Name), namespace: l.ref.Namespace, labels: labels,
		annotations: map[string]string{
			compile.AnnotationExportTo: strings.Join(l.namespaces(), ","),
			compile.AnnotationSpec:     Spec(l.policy),
		},
	}, fields))
}

func (l *layout) servicePorts(assigned map[string]int64) []*applycore.ServicePortApplyConfiguration {
	var all []*applycore.ServicePortApplyConfiguration
	for _, s := range l.slots {
		container := assigned[s.Key]
		first := s.servers[0]
		all = append(all, applycore.ServicePort().
			WithName(portName(first.entry.Port.Protocol, first)).
			WithProtocol(corev1.ProtocolTCP).
			WithPort(int32(s.servicePort(container))).
			WithTargetPort(intstr.FromInt32(int32(container))))
	}
	slices.SortFunc(all, func(a, b *applycore.ServicePortApplyConfiguration) int { return cmp.Compare(*a.Port, *b.Port) })
	return all
}

// exportedTo returns the namespaces that a policy's Service is exported to.
func exportedTo(service *unstructured.Unstructured) []string {
	var namespaces []string
	for name := range strings.SplitSeq(service.GetAnnotations()[compile.AnnotationExportTo], ",") {
		namespaces = append(namespaces, strings.TrimSpace(name))
	}
	return namespaces
}
