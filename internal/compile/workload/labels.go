package workload

// Labels and annotations of gateway pods. Source: manifests/charts/gateway and
// files/gateway-injection-template.yaml of Istio.
const (
	labelApp  = "app"
	labelName = "app.kubernetes.io/name"
	// labelInject asks the webhook to complete the pod. As an annotation it
	// counts for webhooks that look there.
	labelInject = "sidecar.istio.io/inject"
	// labelDataplane keeps ztunnel from capturing the gateway's own traffic.
	labelDataplane      = "istio.io/dataplane-mode"
	annotationTemplates = "inject.istio.io/templates"
	// labelTLSMode is on every pod that has a sidecar: injection puts it there
	// (files/injection-template.yaml), but not on gateways.
	labelTLSMode = "security.istio.io/tlsMode"
	tlsModeIstio = "istio"
)

// Ports that an Istio pod uses itself.
const (
	portMetrics      = 15020 // merged metrics
	portHealth       = 15021
	portEnvoyMetrics = 15090
)
