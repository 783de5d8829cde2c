package workload

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// injectedVolumes are those of Istio's gateway template
// (files/gateway-injection-template.yaml); one of the same name would be
// merged with them.
var injectedVolumes = []string{
	"workload-socket", "credential-socket", "workload-certs", "gke-workload-certificate", "custom-bootstrap-volume",
	"istio-envoy", "istio-data", "istio-podinfo", "istio-token", "istiod-ca-cert", "istio-certs",
}

// sysctlName is the API server's own pattern (pkg/apis/core/validation).
var sysctlName = regexp.MustCompile(`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`)

func (v *validator) pod(g Gateway) {
	if g.Pod == nil {
		return
	}
	p, root := *g.Pod, at{"pod"}
	v.check(root.in("labels"), CheckLabels(p.Labels))
	v.check(root.in("annotations"), CheckAnnotations(p.Annotations))
	for _, name := range slices.Sorted(maps.Keys(p.Env)) {
		v.check(root.in("env"), first("Invalid environment variable", name, validation.IsEnvVarName(name)))
	}
	v.volumes(root, p)
	for i, name := range p.ImagePullSecrets {
		v.check(root.in("image_pull_secrets", i), first("Invalid Secret name", name, validation.IsDNS1123Subdomain(name)))
	}
	if p.TerminationGracePeriodSeconds != nil {
		v.atLeast(root.in("termination_grace_period_seconds"), *p.TerminationGracePeriodSeconds, 0)
	}
	v.oneOf(root.in("dns_policy"), p.DNSPolicy, DNSPolicies)
	v.sysctls(root.in("sysctls"), p)
	if p.ReadinessProbe != nil {
		v.readinessProbe(root.in("readiness_probe"), *p.ReadinessProbe)
	}
	if p.PreStop != nil {
		v.preStop(root.in("pre_stop"), *p.PreStop)
	}
}

func (v *validator) volumes(root at, p Pod) {
	names, mounts := map[string]bool{}, map[string]bool{}
	volume := func(path at, name, object, objectAttribute, mountPath string) {
		v.check(path.in("name"), first("Invalid volume name", name, validation.IsDNS1123Label(name)))
		if slices.Contains(injectedVolumes, name) {
			v.add(path.in("name"), "Reserved volume name", "Injection gives the pod a volume %q of its own. Take another name.", name)
		}
		if names[name] {
			v.add(path.in("name"), "Duplicate volume name", "%q is the name of another volume.", name)
		}
		names[name] = true
		v.check(path.in(objectAttribute), first("Invalid name", object, validation.IsDNS1123Subdomain(object)))
		v.mountPath(path.in("mount_path"), mountPath, mounts)
	}
	for i, s := range p.SecretVolumes {
		volume(root.in("secret_volumes", i), s.Name, s.SecretName, "secret_name", s.MountPath)
	}
	for i, m := range p.ConfigMapVolumes {
		volume(root.in("config_map_volumes", i), m.Name, m.ConfigMapName, "config_map_name", m.MountPath)
	}
}

func (v *validator) mountPath(at at, mountPath string, seen map[string]bool) {
	clean := path.Clean(mountPath)
	switch {
	case !strings.HasPrefix(mountPath, "/") || strings.Contains(mountPath, ":") || clean == "/":
		v.add(at, "Invalid mount path", "%q is no absolute path below / without a colon.", mountPath)
	case seen[clean]:
		v.add(at, "Duplicate mount path", "Another volume is mounted at %q.", clean)
	}
	seen[clean] = true
}

func (v *validator) sysctls(path at, p Pod) {
	for _, name := range slices.Sorted(maps.Keys(p.Sysctls)) {
		if !sysctlName.MatchString(name) {
			v.add(path, "Invalid sysctl", "%q is no name such as net.core.somaxconn.", name)
		}
		if or(p.HostNetwork, false) && strings.HasPrefix(strings.ReplaceAll(name, "/", "."), "net.") {
			v.add(path, "Sysctl of the host", "%q belongs to the network of the node when host_network is true, and pods may not change it.", name)
		}
	}
}

func (v *validator) readinessProbe(path at, p ReadinessProbe) {
	for _, field := range []struct {
		attribute string
		value     *int64
		least     int64
	}{
		{"initial_delay_seconds", p.InitialDelaySeconds, 0},
		{"period_seconds", p.PeriodSeconds, 1},
		{"timeout_seconds", p.TimeoutSeconds, 1},
		{"success_threshold", p.SuccessThreshold, 1},
		{"failure_threshold", p.FailureThreshold, 1},
	} {
		if field.value != nil {
			v.atLeast(path.in(field.attribute), *field.value, field.least)
		}
	}
}

func (v *validator) preStop(path at, p PreStop) {
	set := 0
	if p.Exec != nil {
		set++
		if len(p.Exec.Command) == 0 {
			v.add(path.in("exec", "command"), "No command", "command has at least the path of an executable in the proxy image.")
		}
	}
	if p.HTTPGet != nil {
		set++
		v.check(path.in("http_get", "port"), CheckPort(p.HTTPGet.Port))
		v.oneOf(path.in("http_get", "scheme"), p.HTTPGet.Scheme, ProbeSchemes)
	}
	if p.Sleep != nil {
		set++
		v.atLeast(path.in("sleep", "seconds"), p.Sleep.Seconds, 1)
	}
	if set != 1 {
		v.add(path, "Not exactly one action", "Set exactly one of exec, http_get and sleep.")
	}
}
