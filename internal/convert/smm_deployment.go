package convert

import (
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// annotationImage is how the operator's chart hands `image` to injection.
const annotationImage = "sidecar.istio.io/proxyImage"

func smmDeployment(o *fields.Object, g *workload.Gateway) {
	m := o.Take("metadata").Object()
	g.Labels = smmOwnLabels(m.Take("labels"), g)
	g.Annotations = m.Take("annotations").TextMap()
	m.Done()

	smmReplicas(o.Take("replicas").Object(), g)
	smmStrategy(o.Take("deploymentStrategy").Object(), g)
	if budget := o.Take("podDisruptionBudget"); budget.There() {
		b := budget.Object()
		minimum, maximum := b.Take("minAvailable").Literal(), b.Take("maxUnavailable").Literal()
		b.Done()
		if minimum != nil || maximum != nil {
			g.PodDisruptionBudget = &workload.PodDisruptionBudget{MinAvailable: minimum, MaxUnavailable: maximum}
		}
	}
	if resources := o.Take("resources"); resources.There() {
		r := resources.Object()
		g.Resources = &workload.Resources{Limits: r.Take("limits").Entries(fields.Field.Literal), Requests: r.Take("requests").Entries(fields.Field.Literal)}
		r.Done()
	}
	g.NodeSelector = o.Take("nodeSelector").TextMap()
	g.PriorityClassName = o.Take("priorityClassName").NonEmpty()
	fields.Mirror(o.Take("affinity"), &g.Affinity)
	fields.Mirror(o.Take("tolerations"), &g.Tolerations)
	fields.Mirror(o.Take("topologySpreadConstraints"), &g.TopologySpreadConstraints)
	g.Pod = smmPod(o, g)

	smmSecurity(o.Take("securityContext").Object(), g.RunAsRoot)
	o.Take("imagePullPolicy").Refuse("injection decides when the proxy image is pulled; take it out")
	o.Take("livenessProbe").Refuse("istio_egress_gateway has no liveness probe; take it out")
	o.Done()
}

// smmReplicas reads a fixed number, or the bounds of an autoscaler, within
// which `count` says nothing more.
func smmReplicas(o *fields.Object, g *workload.Gateway) {
	count, low, high, cpu := o.Take("count"), o.Take("min"), o.Take("max"), o.Take("targetCPUUtilizationPercentage")
	o.Done()
	number, from, to := count.Integer(), low.Integer(), high.Integer()
	if low.There() != high.There() {
		given := low
		if high.There() {
			given = high
		}
		given.Fail("autoscaling needs both min and max; give the other one too, or take this one out")
		return
	}
	if from == nil || to == nil {
		g.Replicas = number
		cpu.Refuse("autoscaling needs min and max; give both, or take this out")
		return
	}
	if number != nil && (*number < *from || *number > *to) {
		count.Fail("%d is outside of min %d and max %d; take it out, the autoscaler decides", *number, *from, *to)
	}
	g.Autoscaling = &workload.Autoscaling{MinReplicas: from, MaxReplicas: *to}
	// The operator takes 0 for its default, which is ours.
	if percent := cpu.Integer(); percent != nil && *percent != 0 {
		g.Autoscaling.CPUUtilization = percent
	}
}

func smmStrategy(o *fields.Object, g *workload.Gateway) {
	kind := o.Take("type")
	if name := kind.NonEmpty(); name != nil && *name != "RollingUpdate" {
		kind.Fail("%q: pods of a gateway are replaced by RollingUpdate only", *name)
	}
	if update := o.Take("rollingUpdate"); update.There() {
		u := update.Object()
		g.RollingUpdate = &workload.RollingUpdate{MaxUnavailable: u.Take("maxUnavailable").Literal(), MaxSurge: u.Take("maxSurge").Literal()}
		u.Done()
	}
	o.Done()
}

func smmPod(o *fields.Object, g *workload.Gateway) *workload.Pod {
	pod := &workload.Pod{}
	m := o.Take("podMetadata").Object()
	pod.Labels = smmPodLabels(m.Take("labels"), g)
	pod.Annotations = m.Take("annotations").TextMap()
	m.Done()
	if image := o.Take("image"); image.NonEmpty() != nil {
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		if other, ok := pod.Annotations[annotationImage]; ok && other != image.Node.Value {
			image.Fail("podMetadata.annotations gives another image, %q", other)
		}
		pod.Annotations[annotationImage] = image.Node.Value
	}
	pod.Env = smmNamed(o.Take("env"))
	for _, element := range o.Take("imagePullSecrets").List() {
		reference := element.Object()
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, reference.Take("name").RequiredText())
		reference.Done()
	}
	smmVolumes(o.Take("volumes"), o.Take("volumeMounts"), pod)
	if probe := o.Take("readinessProbe"); probe.There() {
		pod.ReadinessProbe = smmReadiness(probe.Object())
	}
	if security := o.Take("podSecurityContext"); security.There() {
		s := security.Object()
		pod.Sysctls = smmNamed(s.Take("sysctls"))
		s.Done()
	}
	return pod
}

// smmNamed reads a list of names and values, such as env.
func smmNamed(f fields.Field) map[string]string {
	var all map[string]string
	for _, element := range f.List() {
		o := element.Object()
		name, value := o.Take("name").RequiredText(), o.Take("value")
		o.Take("valueFrom").Refuse("only a value can be given; mount the Secret or ConfigMap in its place")
		o.Done()
		if all == nil {
			all = map[string]string{}
		}
		if _, twice := all[name]; twice {
			element.Fail("%q stands here twice", name)
		}
		all[name] = ""
		if text := value.Text(); text != nil {
			all[name] = *text
		}
	}
	return all
}

func smmReadiness(o *fields.Object) *workload.ReadinessProbe {
	probe := &workload.ReadinessProbe{
		InitialDelaySeconds: o.Take("initialDelaySeconds").Integer(),
		PeriodSeconds:       o.Take("periodSeconds").Integer(),
		TimeoutSeconds:      o.Take("timeoutSeconds").Integer(),
		SuccessThreshold:    o.Take("successThreshold").Integer(),
		FailureThreshold:    o.Take("failureThreshold").Integer(),
	}
	for _, name := range []string{"exec", "httpGet", "tcpSocket", "grpc"} {
		o.Take(name).Refuse("the proxy is asked at /healthz/ready on port 15021, and nowhere else; take it out")
	}
	o.Take("terminationGracePeriodSeconds").Refuse("istio_egress_gateway has no such setting for its probe; take it out")
	o.Done()
	return probe
}

// smmSecurity takes a security context that says what the gateway does anyway.
func smmSecurity(o *fields.Object, root bool) {
	user, nonRoot := int64(1337), true
	if root {
		user, nonRoot = 0, false
	}
	for _, name := range []string{"runAsUser", "runAsGroup"} {
		f := o.Take(name)
		if id := f.Integer(); id != nil && *id != user {
			f.Fail("the proxy runs as %d; take it out, or set spec.runAsRoot", user)
		}
	}
	f := o.Take("runAsNonRoot")
	if value := f.Boolean(); value != nil && *value != nonRoot {
		f.Fail("%t, and spec.runAsRoot is %t", *value, root)
	}
	known := slices.Clone(o.Asked)
	for _, name := range o.Keys {
		if !slices.Contains(known, name) {
			o.Take(name).Refuse("the security context of the proxy follows from spec.runAsRoot; take it out")
		}
	}
}
