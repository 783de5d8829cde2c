package compile

// ProviderName is the provider in labels, field managers and user agents.
const ProviderName = "terraform-provider-istio"

// Labels and annotations. A key stands here and nowhere else.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelPartOf    = "app.kubernetes.io/part-of"
	LabelRevision  = "istio.io/rev"
	// PartOf is the value of LabelPartOf.
	PartOf = "istio-egress"

	// Prefix begins this provider's own labels and annotations.
	Prefix = "egress.meshegress.io/"
	// LabelGateway names, on a policy's Service, the gateway it leads to.
	LabelGateway = "egress.meshegress.io/gateway"
	// LabelPolicy names the policy, on all of its objects but the
	// ServiceEntries (see BaseLabels).
	LabelPolicy = "egress.meshegress.io/policy"

	// LabelNoPortTranslation on a Service keeps istiod from reading server
	// numbers of Gateways as ports of that Service: a foreign Gateway for port
	// 80 on the same pods must not end up at the targetPort of a policy's
	// port 80.
	// Source: pilot/pkg/model/gateway.go, DisableGatewayPortTranslationLabel
	// (since Istio 1.10, istio/istio#33021).
	LabelNoPortTranslation = "experimental.istio.io/disable-gateway-port-translation"

	// LabelAutoAllocateIP, "false" on a ServiceEntry, keeps istiod from giving it
	// a virtual address.
	// Source: istio.io/api/label NetworkingEnableAutoallocateIp.
	LabelAutoAllocateIP = "networking.istio.io/enable-autoallocate-ip"

	// AnnotationOwner names the resource instance that owns an object.
	AnnotationOwner = "egress.meshegress.io/owner"
	// AnnotationSpec holds the canonical JSON of the resource's intent; import
	// reads it back.
	AnnotationSpec = "egress.meshegress.io/spec"
	// AnnotationEntries names, on a policy's Gateway, the entries whose port it
	// opens: a JSON list of the keys of `gateway_ports`. Import reads it back.
	AnnotationEntries = "egress.meshegress.io/entries"
	// AnnotationMode notes on the ConfigMap of a mesh config who has set the
	// outbound mode, and what it was before: outboundpolicy's note as JSON.
	AnnotationMode = "egress.meshegress.io/outbound-mode"
	// AnnotationVersion is the version of a shared object's content.
	AnnotationVersion = "egress.meshegress.io/version"
	// AnnotationExportTo limits who sees a Service.
	// Source: istio.io/api/annotation NetworkingExportTo.
	AnnotationExportTo = "networking.istio.io/exportTo"
)

// BaseLabels are the labels that every object carries. They are the same for
// every policy: Istio merges two ServiceEntries of one host only if their
// labels are equal (pilot/pkg/model/sidecar.go).
func BaseLabels(revision string) map[string]string {
	labels := map[string]string{LabelManagedBy: ProviderName, LabelPartOf: PartOf}
	if revision != "" {
		labels[LabelRevision] = revision
	}
	return labels
}
