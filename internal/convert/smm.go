package convert

import (
	"maps"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// smmGateway is the custom resource of Cisco Service Mesh Manager. What its
// documentation leaves open is as in its operator, banzaicloud/istio-operator:
// fields in api/v1alpha1/istiomeshgateway.proto and common.proto, their effect
// in internal/assets/manifests/istio-meshgateway.
var smmGateway = kind{"servicemesh.cisco.com/v1alpha1", "IstioMeshGateway"}

// Labels that the operator gives to pods, and by which users' Gateway objects
// select them (istio-meshgateway/templates/_helpers.tpl).
const (
	smmLabelName = "gateway-name"
	smmLabelType = "gateway-type"
	smmEgress    = "egress"
)

var smmOrigins = origins{
	"name":                        "metadata.name",
	"namespace":                   "metadata.namespace",
	"revision":                    "spec.istioControlPlane",
	"labels":                      "spec.deployment.metadata.labels",
	"annotations":                 "spec.deployment.metadata.annotations",
	"ports":                       "spec.service.ports",
	"service.labels":              "spec.service.metadata.labels",
	"service.annotations":         "spec.service.metadata.annotations",
	"service.load_balancer_ip":    "spec.service.loadBalancerIP",
	"service.ip_families":         "spec.service.ipFamily",
	"replicas":                    "spec.deployment.replicas.count",
	"autoscaling":                 "spec.deployment.replicas",
	"autoscaling.min_replicas":    "spec.deployment.replicas.min",
	"autoscaling.max_replicas":    "spec.deployment.replicas.max",
	"autoscaling.cpu_utilization": "spec.deployment.replicas.targetCPUUtilizationPercentage",
	"rolling_update":              "spec.deployment.deploymentStrategy.rollingUpdate",
	"resources":                   "spec.deployment.resources",
	"node_selector":               "spec.deployment.nodeSelector",
	"tolerations":                 "spec.deployment.tolerations",
	"affinity":                    "spec.deployment.affinity",
	"topology_spread_constraints": "spec.deployment.topologySpreadConstraints",
	"priority_class_name":         "spec.deployment.priorityClassName",
	"pod_disruption_budget":       "spec.deployment.podDisruptionBudget",
	"pod":                         "spec.deployment",
	"pod.labels":                  "spec.deployment.podMetadata.labels",
	"pod.annotations":             "spec.deployment.podMetadata.annotations",
	"pod.secret_volumes":          "spec.deployment.volumes",
	"pod.config_map_volumes":      "spec.deployment.volumes",
	"pod.sysctls":                 "spec.deployment.podSecurityContext.sysctls",
}

// SMMMeshGateway converts an IstioMeshGateway of type egress. The error is of
// type Problems.
//
// What the custom resource does not say is the default of our resource, with
// two exceptions, which keep what its users rely on: authorization is "none",
// as their own Gateway objects would stop to serve otherwise, and pods are not
// spread across nodes.
func SMMMeshGateway(text string) (workload.Gateway, error) {
	d, err := read(text, smmGateway)
	if err != nil {
		return workload.Gateway{}, err
	}
	g := workload.Defaults()
	g.Authorization = string(compile.AuthorizationNone)
	g.SpreadAcrossNodes = false

	root := d.root.object()
	root.ignore("apiVersion", "kind", "status")
	name, namespace := metadata(root)
	g.Name, g.Namespace = name, namespace.requiredText()
	if spec := root.take("spec"); spec.there() {
		smmSpec(spec.object(), &g)
	} else {
		spec.required()
	}
	root.done()
	if len(d.problems) == 0 {
		smmOrigins.add(d, workload.Validate(g, compile.Mesh{}))
	}
	return g, d.problems.err()
}

func smmSpec(spec *object, g *workload.Gateway) {
	smmType(spec.take("type"))
	if controlPlane := spec.take("istioControlPlane"); controlPlane.there() {
		// The operator labels its control planes so (Revision and
		// NamespacedRevision in api/v1alpha1/istiocontrolplane_types.go).
		o := controlPlane.object()
		revision := strings.ReplaceAll(o.take("name").requiredText(), ".", "-") + "." + o.take("namespace").requiredText()
		g.Revision = &revision
		o.done()
	} else {
		controlPlane.required()
	}
	if root := spec.take("runAsRoot").boolean(); root != nil {
		g.RunAsRoot = *root
	}
	if service := spec.take("service"); service.there() {
		smmService(service.object(), g)
	} else {
		service.required()
	}
	smmDeployment(spec.take("deployment").object(), g)
	spec.take("k8sResourceOverlays").refuse("patches of generated objects have no counterpart; say what they change by attributes of the gateway")
	spec.done()
}

func smmType(f field) {
	switch kind := f.requiredText(); {
	case !f.there() || kind == smmEgress:
	case kind == "ingress":
		f.fail("an ingress gateway; istio_egress_gateway makes egress gateways only")
	default:
		f.fail("%q is neither %s nor ingress", kind, smmEgress)
	}
}

func smmService(o *object, g *workload.Gateway) {
	s := &workload.Service{Type: o.take("type").nonEmpty()}
	ports := o.take("ports")
	ports.required()
	g.Ports = nil
	for _, element := range ports.list() {
		g.Ports = append(g.Ports, smmPort(element.object()))
	}
	m := o.take("metadata").object()
	s.Labels = smmOwnLabels(m.take("labels"), g)
	s.Annotations = m.take("annotations").textMap()
	m.done()

	s.LoadBalancerIP = o.take("loadBalancerIP").nonEmpty()
	s.LoadBalancerSourceRanges = o.take("loadBalancerSourceRanges").texts()
	s.ExternalTrafficPolicy = o.take("externalTrafficPolicy").nonEmpty()
	s.SessionAffinity = o.take("sessionAffinity").nonEmpty()
	if family := o.take("ipFamily").nonEmpty(); family != nil {
		s.IPFamilies = []string{*family}
	}
	o.take("selector").refuse("the Service selects the pods of the gateway, and nothing else (the operator did not render this field either); take it out")
	for _, name := range []string{"clusterIP", "externalIPs", "externalName", "healthCheckNodePort", "publishNotReadyAddresses", "sessionAffinityConfig"} {
		o.take(name).refuse("istio_egress_gateway has no such setting (the operator did not render this field either); take it out")
	}
	o.done()
	g.Service = s
}

func smmPort(o *object) workload.Port {
	port := workload.Port{
		Name:     o.take("name").requiredText(),
		Port:     o.take("port").requiredInteger(),
		Protocol: o.take("protocol").nonEmpty(),
	}
	if target := o.take("targetPort"); target.there() && target.node.ShortTag() == textTag {
		target.fail("the name of a container port, and the gateway's ports have none; give the number")
	} else {
		port.TargetPort = target.integer()
	}
	if node := o.take("nodePort").integer(); node != nil && *node != 0 {
		port.NodePort = node
	}
	o.done()
	return port
}

// smmOwnLabels returns labels without those that the gateway gets anyway. The
// provider sets `app` and `istio`; a value other than its own cannot be kept.
func smmOwnLabels(f field, g *workload.Gateway) map[string]string {
	labels := f.textMap()
	for key, value := range map[string]string{"app": g.Name, compile.GatewayLabel: g.Name, "app.kubernetes.io/name": g.Name} {
		if labels[key] == value {
			delete(labels, key)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// smmPodLabels returns the labels of the pods: what the operator's chart puts
// there, whose Deployment labels are labels of the pods as well.
func smmPodLabels(f field, g *workload.Gateway) map[string]string {
	labels := maps.Clone(g.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	add := func(key, value string) {
		if other, ok := labels[key]; ok && other != value {
			f.fail("label %s is %q here and %q by deployment.metadata or by the name of the gateway; pods have it once", key, value, other)
		}
		labels[key] = value
	}
	add(smmLabelName, g.Name)
	add(smmLabelType, smmEgress)
	for key, value := range maps.All(smmOwnLabels(f, g)) {
		add(key, value)
	}
	return labels
}
