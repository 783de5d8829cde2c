package convert

import (
	"maps"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
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
// type fields.Problems.
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

	root := d.root.Object()
	root.Ignore("apiVersion", "kind", "status")
	name, namespace := metadata(root)
	g.Name, g.Namespace = name, namespace.RequiredText()
	if spec := root.Take("spec"); spec.There() {
		smmSpec(spec.Object(), &g)
	} else {
		spec.Required()
	}
	root.Done()
	if len(d.problems) == 0 {
		smmOrigins.add(d, workload.Validate(g, compile.Mesh{}))
	}
	return g, d.problems.Err()
}

func smmSpec(spec *fields.Object, g *workload.Gateway) {
	smmType(spec.Take("type"))
	if controlPlane := spec.Take("istioControlPlane"); controlPlane.There() {
		// The operator labels its control planes so (Revision and
		// NamespacedRevision in api/v1alpha1/istiocontrolplane_types.go).
		o := controlPlane.Object()
		revision := strings.ReplaceAll(o.Take("name").RequiredText(), ".", "-") + "." + o.Take("namespace").RequiredText()
		g.Revision = &revision
		o.Done()
	} else {
		controlPlane.Required()
	}
	if root := spec.Take("runAsRoot").Boolean(); root != nil {
		g.RunAsRoot = *root
	}
	if service := spec.Take("service"); service.There() {
		smmService(service.Object(), g)
	} else {
		service.Required()
	}
	smmDeployment(spec.Take("deployment").Object(), g)
	spec.Take("k8sResourceOverlays").Refuse("patches of generated objects have no counterpart; say what they change by attributes of the gateway")
	spec.Done()
}

func smmType(f fields.Field) {
	switch kind := f.RequiredText(); {
	case !f.There() || kind == smmEgress:
	case kind == "ingress":
		f.Fail("an ingress gateway; istio_egress_gateway makes egress gateways only")
	default:
		f.Fail("%q is neither %s nor ingress", kind, smmEgress)
	}
}

func smmService(o *fields.Object, g *workload.Gateway) {
	s := &workload.Service{Type: o.Take("type").NonEmpty()}
	ports := o.Take("ports")
	ports.Required()
	g.Ports = nil
	for _, element := range ports.List() {
		g.Ports = append(g.Ports, smmPort(element.Object()))
	}
	m := o.Take("metadata").Object()
	s.Labels = smmOwnLabels(m.Take("labels"), g)
	s.Annotations = m.Take("annotations").TextMap()
	m.Done()

	s.LoadBalancerIP = o.Take("loadBalancerIP").NonEmpty()
	s.LoadBalancerSourceRanges = o.Take("loadBalancerSourceRanges").Texts()
	s.ExternalTrafficPolicy = o.Take("externalTrafficPolicy").NonEmpty()
	s.SessionAffinity = o.Take("sessionAffinity").NonEmpty()
	if family := o.Take("ipFamily").NonEmpty(); family != nil {
		s.IPFamilies = []string{*family}
	}
	o.Take("selector").Refuse("the Service selects the pods of the gateway, and nothing else (the operator did not render this field either); take it out")
	for _, name := range []string{"clusterIP", "externalIPs", "externalName", "healthCheckNodePort", "publishNotReadyAddresses", "sessionAffinityConfig"} {
		o.Take(name).Refuse("istio_egress_gateway has no such setting (the operator did not render this field either); take it out")
	}
	o.Done()
	g.Service = s
}

func smmPort(o *fields.Object) workload.Port {
	port := workload.Port{
		Name:     o.Take("name").RequiredText(),
		Port:     o.Take("port").RequiredInteger(),
		Protocol: o.Take("protocol").NonEmpty(),
	}
	if target := o.Take("targetPort"); target.IsText() {
		target.Fail("the name of a container port, and the gateway's ports have none; give the number")
	} else {
		port.TargetPort = target.Integer()
	}
	if node := o.Take("nodePort").Integer(); node != nil && *node != 0 {
		port.NodePort = node
	}
	o.Done()
	return port
}

// smmOwnLabels returns labels without those that the gateway gets anyway. The
// provider sets `app` and `istio`; a value other than its own cannot be kept.
func smmOwnLabels(f fields.Field, g *workload.Gateway) map[string]string {
	labels := f.TextMap()
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
func smmPodLabels(f fields.Field, g *workload.Gateway) map[string]string {
	labels := maps.Clone(g.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	add := func(key, value string) {
		if other, ok := labels[key]; ok && other != value {
			f.Fail("label %s is %q here and %q by deployment.metadata or by the name of the gateway; pods have it once", key, value, other)
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
