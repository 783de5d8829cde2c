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

	// LabelGateway names, on a policy's Service, the gateway it leads to.
	LabelGateway = "egress.meshegress.io/gateway"
	// LabelPolicy names the policy, on all of its objects but the
	// ServiceEntries (see BaseLabels).
	LabelPolicy = "egress.meshegress.io/policy"

	// AnnotationSpec holds the canonical JSON of the resource's intent; import
	// reads it back.
	AnnotationSpec = "egress.meshegress.io/spec"
	// AnnotationEntries names, on a policy's Gateway, the entries whose port it
	// opens: a JSON list of the keys of `gateway_ports`. Import reads it back.
	AnnotationEntries = "egress.meshegress.io/entries"
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
