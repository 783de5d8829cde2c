package workload

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

const (
	// containerName is the container that injection completes.
	containerName = "istio-proxy"
	// imageAuto asks injection for the proxy image of the control plane.
	imageAuto = "auto"
	// sysctlLowPorts lets a process without privileges open every port. It is
	// a safe sysctl since Kubernetes 1.22 (kubernetes/kubernetes#103326).
	sysctlLowPorts = "net.ipv4.ip_unprivileged_port_start"
	// gracePeriodSeconds is the default of Kubernetes and of Istio's chart.
	gracePeriodSeconds int64 = 30
)

func (c compiler) podSpec() *corev1ac.PodSpecApplyConfiguration {
	pod := or(c.Pod, Pod{})
	spec := corev1ac.PodSpec().
		WithServiceAccountName(c.Name).
		WithContainers(c.container(pod)).
		WithTerminationGracePeriodSeconds(or(pod.TerminationGracePeriodSeconds, gracePeriodSeconds)).
		WithNodeSelector(c.NodeSelector).
		WithVolumes(volumes(pod)...)
	if security := c.podSecurity(pod); security != nil {
		spec.WithSecurityContext(security)
	}
	for _, name := range pod.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(name))
	}
	for _, t := range c.Tolerations {
		spec.WithTolerations(toleration(t))
	}
	for _, t := range c.TopologySpreadConstraints {
		spec.WithTopologySpreadConstraints(c.topologySpreadConstraint(t))
	}
	if affinity := c.affinity(); affinity != nil {
		spec.WithAffinity(affinity)
	}
	spec.PriorityClassName = c.PriorityClassName
	spec.HostNetwork = nonZero(pod.HostNetwork)
	spec.DNSPolicy = typed[corev1.DNSPolicy](pod.DNSPolicy)
	if pod.DNSPolicy == nil && or(pod.HostNetwork, false) {
		// The default, ClusterFirst, means the node's own resolver on the
		// host's network, and that does not know istiod.
		spec.WithDNSPolicy(corev1.DNSClusterFirstWithHostNet)
	}
	return spec
}

// container is what is left for the webhook to complete: arguments, image,
// identity, tokens and probes come from Istio's injection template.
func (c compiler) container(pod Pod) *corev1ac.ContainerApplyConfiguration {
	container := corev1ac.Container().
		WithName(containerName).
		WithImage(imageAuto).
		WithSecurityContext(c.containerSecurity()).
		WithResources(c.resources()).
		WithPorts(corev1ac.ContainerPort().
			WithName("http-envoy-prom").
			WithContainerPort(portEnvoyMetrics).
			WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(volumeMounts(pod)...)
	for _, name := range slices.Sorted(maps.Keys(pod.Env)) {
		variable := corev1ac.EnvVar().WithName(name)
		variable.Value = nonZero(ptr(pod.Env[name]))
		container.WithEnv(variable)
	}
	if probe := pod.ReadinessProbe; probe != nil {
		container.WithReadinessProbe(readinessProbe(*probe))
	}
	if stop := pod.PreStop; stop != nil {
		container.WithLifecycle(corev1ac.Lifecycle().WithPreStop(preStop(*stop)))
	}
	return container
}

// podSecurity returns the sysctls: the configuration's, else the one that
// lets the proxy open low ports. Root needs none, and pods on the host's
// network may not have any of the net group.
func (c compiler) podSecurity(pod Pod) *corev1ac.PodSecurityContextApplyConfiguration {
	sysctls := pod.Sysctls
	if sysctls == nil && !c.RunAsRoot && !or(pod.HostNetwork, false) {
		sysctls = map[string]string{sysctlLowPorts: "0"}
	}
	if len(sysctls) == 0 {
		return nil
	}
	security := corev1ac.PodSecurityContext()
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		security.WithSysctls(corev1ac.Sysctl().WithName(name).WithValue(sysctls[name]))
	}
	return security
}

// containerSecurity is the restricted profile; as root, the one capability
// that low ports need. Injection keeps what stands here and adds the proxy's
// user only where there is none (pkg/kube/inject, reapplyOverwrittenContainers).
func (c compiler) containerSecurity() *corev1ac.SecurityContextApplyConfiguration {
	capabilities := corev1ac.Capabilities().WithDrop("ALL")
	security := corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithPrivileged(false).
		WithReadOnlyRootFilesystem(true).
		WithCapabilities(capabilities)
	if !c.RunAsRoot {
		return security.WithRunAsNonRoot(true)
	}
	capabilities.WithAdd("NET_BIND_SERVICE")
	return security.WithRunAsNonRoot(false).WithRunAsUser(0).WithRunAsGroup(0)
}

func volumes(pod Pod) []*corev1ac.VolumeApplyConfiguration {
	var list []*corev1ac.VolumeApplyConfiguration
	for _, v := range pod.SecretVolumes {
		source := corev1ac.SecretVolumeSource().WithSecretName(v.SecretName)
		source.Optional = v.Optional
		list = append(list, corev1ac.Volume().WithName(v.Name).WithSecret(source))
	}
	for _, v := range pod.ConfigMapVolumes {
		source := corev1ac.ConfigMapVolumeSource().WithName(v.ConfigMapName)
		source.Optional = v.Optional
		list = append(list, corev1ac.Volume().WithName(v.Name).WithConfigMap(source))
	}
	return list
}

func volumeMounts(pod Pod) []*corev1ac.VolumeMountApplyConfiguration {
	mount := func(name, path string) *corev1ac.VolumeMountApplyConfiguration {
		return corev1ac.VolumeMount().WithName(name).WithMountPath(path).WithReadOnly(true)
	}
	var list []*corev1ac.VolumeMountApplyConfiguration
	for _, v := range pod.SecretVolumes {
		list = append(list, mount(v.Name, v.MountPath))
	}
	for _, v := range pod.ConfigMapVolumes {
		list = append(list, mount(v.Name, v.MountPath))
	}
	return list
}

// readinessProbe asks where Istio's own template asks: the API server takes no
// probe without a handler, and injection lays ours over the template's.
func readinessProbe(p ReadinessProbe) *corev1ac.ProbeApplyConfiguration {
	probe := corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath("/healthz/ready").WithPort(intstr.FromInt(portHealth)))
	probe.InitialDelaySeconds = nonZero(int32p(p.InitialDelaySeconds))
	probe.PeriodSeconds = int32p(p.PeriodSeconds)
	probe.TimeoutSeconds = int32p(p.TimeoutSeconds)
	probe.SuccessThreshold = int32p(p.SuccessThreshold)
	probe.FailureThreshold = int32p(p.FailureThreshold)
	return probe
}

func preStop(p PreStop) *corev1ac.LifecycleHandlerApplyConfiguration {
	handler := corev1ac.LifecycleHandler()
	switch {
	case p.Exec != nil:
		handler.WithExec(corev1ac.ExecAction().WithCommand(p.Exec.Command...))
	case p.HTTPGet != nil:
		get := corev1ac.HTTPGetAction().WithPort(intstr.FromInt32(int32(p.HTTPGet.Port)))
		get.Path = p.HTTPGet.Path
		get.Scheme = typed[corev1.URIScheme](p.HTTPGet.Scheme)
		handler.WithHTTPGet(get)
	case p.Sleep != nil:
		handler.WithSleep(corev1ac.SleepAction().WithSeconds(p.Sleep.Seconds))
	}
	return handler
}
