package convert

import (
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// annotationImage is how the operator's chart hands `image` to injection.
const annotationImage = "sidecar.istio.io/proxyImage"

func smmDeployment(o *object, g *workload.Gateway) {
	m := o.take("metadata").object()
	g.Labels = smmOwnLabels(m.take("labels"), g)
	g.Annotations = m.take("annotations").textMap()
	m.done()

	smmReplicas(o.take("replicas").object(), g)
	smmStrategy(o.take("deploymentStrategy").object(), g)
	if budget := o.take("podDisruptionBudget"); budget.there() {
		b := budget.object()
		minimum, maximum := b.take("minAvailable").literal(), b.take("maxUnavailable").literal()
		b.done()
		if minimum != nil || maximum != nil {
			g.PodDisruptionBudget = &workload.PodDisruptionBudget{MinAvailable: minimum, MaxUnavailable: maximum}
		}
	}
	if resources := o.take("resources"); resources.there() {
		r := resources.object()
		g.Resources = &workload.Resources{Limits: r.take("limits").entries(field.literal), Requests: r.take("requests").entries(field.literal)}
		r.done()
	}
	g.NodeSelector = o.take("nodeSelector").textMap()
	g.PriorityClassName = o.take("priorityClassName").nonEmpty()
	mirror(o.take("affinity"), &g.Affinity)
	mirror(o.take("tolerations"), &g.Tolerations)
	mirror(o.take("topologySpreadConstraints"), &g.TopologySpreadConstraints)
	g.Pod = smmPod(o, g)

	smmSecurity(o.take("securityContext").object(), g.RunAsRoot)
	o.take("imagePullPolicy").refuse("injection decides when the proxy image is pulled; take it out")
	o.take("livenessProbe").refuse("istio_egress_gateway has no liveness probe; take it out")
	o.done()
}

// smmReplicas reads a fixed number, or the bounds of an autoscaler, within
// which `count` says nothing more.
func smmReplicas(o *object, g *workload.Gateway) {
	count, low, high, cpu := o.take("count"), o.take("min"), o.take("max"), o.take("targetCPUUtilizationPercentage")
	o.done()
	number, from, to := count.integer(), low.integer(), high.integer()
	if low.there() != high.there() {
		given := low
		if high.there() {
			given = high
		}
		given.fail("autoscaling needs both min and max; give the other one too, or take this one out")
		return
	}
	if from == nil || to == nil {
		g.Replicas = number
		cpu.refuse("autoscaling needs min and max; give both, or take this out")
		return
	}
	if number != nil && (*number < *from || *number > *to) {
		count.fail("%d is outside of min %d and max %d; take it out, the autoscaler decides", *number, *from, *to)
	}
	g.Autoscaling = &workload.Autoscaling{MinReplicas: from, MaxReplicas: *to}
	// The operator takes 0 for its default, which is ours.
	if percent := cpu.integer(); percent != nil && *percent != 0 {
		g.Autoscaling.CPUUtilization = percent
	}
}

func smmStrategy(o *object, g *workload.Gateway) {
	kind := o.take("type")
	if name := kind.nonEmpty(); name != nil && *name != "RollingUpdate" {
		kind.fail("%q: pods of a gateway are replaced by RollingUpdate only", *name)
	}
	if update := o.take("rollingUpdate"); update.there() {
		u := update.object()
		g.RollingUpdate = &workload.RollingUpdate{MaxUnavailable: u.take("maxUnavailable").literal(), MaxSurge: u.take("maxSurge").literal()}
		u.done()
	}
	o.done()
}

func smmPod(o *object, g *workload.Gateway) *workload.Pod {
	pod := &workload.Pod{}
	m := o.take("podMetadata").object()
	pod.Labels = smmPodLabels(m.take("labels"), g)
	pod.Annotations = m.take("annotations").textMap()
	m.done()
	if image := o.take("image"); image.nonEmpty() != nil {
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		if other, ok := pod.Annotations[annotationImage]; ok && other != image.node.Value {
			image.fail("podMetadata.annotations gives another image, %q", other)
		}
		pod.Annotations[annotationImage] = image.node.Value
	}
	pod.Env = smmNamed(o.take("env"))
	for _, element := range o.take("imagePullSecrets").list() {
		reference := element.object()
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, reference.take("name").requiredText())
		reference.done()
	}
	smmVolumes(o.take("volumes"), o.take("volumeMounts"), pod)
	if probe := o.take("readinessProbe"); probe.there() {
		pod.ReadinessProbe = smmReadiness(probe.object())
	}
	if security := o.take("podSecurityContext"); security.there() {
		s := security.object()
		pod.Sysctls = smmNamed(s.take("sysctls"))
		s.done()
	}
	return pod
}

// smmNamed reads a list of names and values, such as env.
func smmNamed(f field) map[string]string {
	var all map[string]string
	for _, element := range f.list() {
		o := element.object()
		name, value := o.take("name").requiredText(), o.take("value")
		o.take("valueFrom").refuse("only a value can be given; mount the Secret or ConfigMap in its place")
		o.done()
		if all == nil {
			all = map[string]string{}
		}
		if _, twice := all[name]; twice {
			element.fail("%q stands here twice", name)
		}
		all[name] = ""
		if text := value.text(); text != nil {
			all[name] = *text
		}
	}
	return all
}

func smmReadiness(o *object) *workload.ReadinessProbe {
	probe := &workload.ReadinessProbe{
		InitialDelaySeconds: o.take("initialDelaySeconds").integer(),
		PeriodSeconds:       o.take("periodSeconds").integer(),
		TimeoutSeconds:      o.take("timeoutSeconds").integer(),
		SuccessThreshold:    o.take("successThreshold").integer(),
		FailureThreshold:    o.take("failureThreshold").integer(),
	}
	for _, name := range []string{"exec", "httpGet", "tcpSocket", "grpc"} {
		o.take(name).refuse("the proxy is asked at /healthz/ready on port 15021, and nowhere else; take it out")
	}
	o.take("terminationGracePeriodSeconds").refuse("istio_egress_gateway has no such setting for its probe; take it out")
	o.done()
	return probe
}

// smmSecurity takes a security context that says what the gateway does anyway.
func smmSecurity(o *object, root bool) {
	user, nonRoot := int64(1337), true
	if root {
		user, nonRoot = 0, false
	}
	for _, name := range []string{"runAsUser", "runAsGroup"} {
		f := o.take(name)
		if id := f.integer(); id != nil && *id != user {
			f.fail("the proxy runs as %d; take it out, or set spec.runAsRoot", user)
		}
	}
	f := o.take("runAsNonRoot")
	if value := f.boolean(); value != nil && *value != nonRoot {
		f.fail("%t, and spec.runAsRoot is %t", *value, root)
	}
	known := slices.Clone(o.asked)
	for _, name := range o.keys {
		if !slices.Contains(known, name) {
			o.take(name).refuse("the security context of the proxy follows from spec.runAsRoot; take it out")
		}
	}
}
