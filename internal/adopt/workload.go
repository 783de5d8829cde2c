package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// service is the Service of a gateway, to which sidecars are led.
type service struct {
	*object

	selector map[string]string
	ports    []servicePorts
	settings *workload.Service
}

type servicePorts struct{ port, target int64 }

// serviceSuffix ends the name of a Service in full. What follows `.svc` is the
// cluster's own and tells nothing apart.
const serviceSuffix = ".svc.cluster.local"

// serviceOf returns name and namespace of the Service that a host is.
func serviceOf(host string) (name, namespace string, ok bool) {
	before, _, ok := strings.Cut(host+".", ".svc.")
	if !ok {
		return "", "", false
	}
	name, namespace, ok = strings.Cut(before, ".")
	return name, namespace, ok && !strings.Contains(namespace, ".")
}

func readService(o *object) *service {
	svc := &service{object: o, settings: &workload.Service{}}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	svc.selector = s.Take("selector").TextMap()
	for _, element := range s.Take("ports").List() {
		e := element.Object()
		p := servicePorts{port: e.Take("port").RequiredInteger()}
		p.target = p.port
		if target := e.Take("targetPort"); target.There() && !target.IsText() {
			if number := target.Integer(); number != nil {
				p.target = *number
			}
		}
		e.Ignore("name", "protocol", "nodePort", "appProtocol")
		e.Done()
		svc.ports = append(svc.ports, p)
	}
	// Addresses are given by the cluster; ports are those of the policies.
	s.Ignore("clusterIP", "clusterIPs", "ipFamilies", "allocateLoadBalancerNodePorts", "healthCheckNodePort")
	set := svc.settings
	set.Type = unless(s.Take("type").NonEmpty(), "ClusterIP")
	set.LoadBalancerIP = s.Take("loadBalancerIP").NonEmpty()
	set.LoadBalancerClass = s.Take("loadBalancerClass").NonEmpty()
	set.LoadBalancerSourceRanges = s.Take("loadBalancerSourceRanges").Texts()
	set.ExternalTrafficPolicy = unless(s.Take("externalTrafficPolicy").NonEmpty(), "Cluster")
	set.InternalTrafficPolicy = unless(s.Take("internalTrafficPolicy").NonEmpty(), "Cluster")
	set.SessionAffinity = unless(s.Take("sessionAffinity").NonEmpty(), "None")
	set.IPFamilyPolicy = unless(s.Take("ipFamilyPolicy").NonEmpty(), "SingleStack")
	for _, other := range s.Rest() {
		o.head.lose(other, "istio_egress_gateway has no such setting of its Service")
	}
	return svc
}

// deployment is the workload of a gateway.
type deployment struct {
	*object

	labels  map[string]string // of the pods
	gateway workload.Gateway
}

func readDeployment(o *object) *deployment {
	d := &deployment{object: o, gateway: workload.Defaults()}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	d.gateway.Replicas = s.Take("replicas").Integer()
	// These are Kubernetes' own for every Deployment, or find its pods.
	s.Ignore("selector", "revisionHistoryLimit", "progressDeadlineSeconds")
	strategy := s.Take("strategy").Object()
	strategy.Take("type").Text()
	if update := strategy.Take("rollingUpdate"); update.There() {
		u := update.Object()
		surge, unavailable := u.Take("maxSurge").Literal(), u.Take("maxUnavailable").Literal()
		u.Done()
		if unless(surge, "25%") != nil || unless(unavailable, "25%") != nil {
			d.gateway.RollingUpdate = &workload.RollingUpdate{MaxUnavailable: unavailable, MaxSurge: surge}
		}
	}
	strategy.Done()
	template := s.Take("template").Object()
	meta := template.Take("metadata").Object()
	labels, annotations := meta.Take("labels"), meta.Take("annotations").Object()
	d.labels = labels.TextMap()
	for _, key := range annotations.Keys {
		if !slices.ContainsFunc(ownAnnotations, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			o.head.lose(annotations.Take(key), "set it by pod.annotations if it is still wanted")
		}
	}
	meta.Ignore("creationTimestamp")
	meta.Done()
	d.readPod(template.Take("spec").Object())
	template.Done()
	for _, other := range s.Rest() {
		o.head.lose(other, "istio_egress_gateway has no such setting of its Deployment")
	}
	return d
}

// injected are the parts of a pod that injection, the API server or
// istio_egress_gateway fills in by itself.
var injected = []string{
	"serviceAccount", "serviceAccountName", "securityContext", "restartPolicy", "dnsPolicy", "schedulerName", "initContainers",
}

func (d *deployment) readPod(o *fields.Object) {
	g := &d.gateway
	g.NodeSelector = o.Take("nodeSelector").TextMap()
	g.PriorityClassName = o.Take("priorityClassName").NonEmpty()
	fields.Mirror(o.Take("affinity"), &g.Affinity)
	fields.Mirror(o.Take("tolerations"), &g.Tolerations)
	fields.Mirror(o.Take("topologySpreadConstraints"), &g.TopologySpreadConstraints)
	if seconds := o.Take("terminationGracePeriodSeconds").Integer(); seconds != nil && *seconds != 30 {
		g.Pod = &workload.Pod{TerminationGracePeriodSeconds: seconds}
	}
	for _, element := range o.Take("containers").List() {
		if name := element.Peek("name"); name != "istio-proxy" {
			d.head.lose(element, fmt.Sprintf("container %q beside the proxy; the pods of istio_egress_gateway have the proxy alone", name))
			continue
		}
		c := element.Object()
		if resources := c.Take("resources"); resources.There() && !resources.Zero() {
			r := resources.Object()
			g.Resources = &workload.Resources{Limits: r.Take("limits").Entries(fields.Field.Literal), Requests: r.Take("requests").Entries(fields.Field.Literal)}
			r.Done()
		}
		for _, variable := range c.Take("env").List() {
			if !slices.ContainsFunc(ownVariables, func(prefix string) bool { return strings.HasPrefix(variable.Peek("name"), prefix) }) {
				d.head.lose(variable, "set it by pod.env if it is still wanted")
			}
		}
	}
	for _, element := range o.Take("volumes").List() {
		if name := element.Peek("name"); !slices.Contains(ownVolumes, name) {
			d.head.lose(element, fmt.Sprintf("volume %q; mount it by pod.secret_volumes or pod.config_map_volumes, or use tls.credential_name", name))
		}
	}
	o.Ignore(injected...)
	for _, other := range o.Rest() {
		d.head.lose(other, "istio_egress_gateway has no such setting of its pods")
	}
}

// Istio's own annotations, variables and volumes of a gateway's pods, which
// injection adds.
// Source: manifests/charts/gateways/istio-egress/templates/deployment.yaml.
var (
	ownAnnotations = []string{"inject.istio.io/", "sidecar.istio.io/inject", "prometheus.io/", "istio.io/rev", "kubectl.kubernetes.io/"}
	ownVariables   = []string{"JWT_POLICY", "PILOT_CERT_PROVIDER", "CA_ADDR", "NODE_NAME", "POD_N", "INSTANCE_IP", "HOST_IP", "SERVICE_ACCOUNT", "ISTIO_", "CANONICAL_", "GO", "TRUST_DOMAIN", "PROXY_CONFIG"}
	ownVolumes     = []string{
		"workload-socket", "credential-socket", "workload-certs", "istio-envoy", "istio-data", "istio-podinfo", "podinfo", "istio-token",
		"istiod-ca-cert", "config-volume", "egressgateway-certs", "egressgateway-ca-certs", "istio-ca-crl",
	}
)

// newGateway returns the gateway that takes the place of a hand-written one,
// beside it and in another namespace: the old one serves until the last call
// has moved.
func newGateway(name, namespace string, svc *service, d *deployment) workload.Gateway {
	g := workload.Defaults()
	if d != nil {
		g = d.gateway
	}
	g.Name, g.Namespace = name, namespace
	if svc != nil && svc.settings.Type != nil {
		g.Service = svc.settings
		g.Service.Annotations = outward(svc.annotations)
	}
	return g
}

// outward returns the annotations by which a cloud makes a load balancer.
func outward(annotations map[string]string) map[string]string {
	var kept map[string]string
	for key, value := range annotations {
		if !fields.Tracked(key) && !acts(key) {
			if kept == nil {
				kept = map[string]string{}
			}
			kept[key] = value
		}
	}
	return kept
}

// selects reports whether pods with the labels are selected.
func selects(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// unless returns a text, nil if it is the one that would be there anyway.
func unless(text *string, otherwise string) *string {
	if text == nil || *text == otherwise {
		return nil
	}
	return text
}
