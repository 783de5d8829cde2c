package workload

// Pod is what the configuration adds to the gateway's pods.
type Pod struct {
	Labels                        map[string]string `tfsdk:"labels" json:"labels,omitzero"`
	Annotations                   map[string]string `tfsdk:"annotations" json:"annotations,omitzero"`
	Env                           map[string]string `tfsdk:"env" json:"env,omitzero"`
	SecretVolumes                 []SecretVolume    `tfsdk:"secret_volumes" json:"secret_volumes,omitzero"`
	ConfigMapVolumes              []ConfigMapVolume `tfsdk:"config_map_volumes" json:"config_map_volumes,omitzero"`
	ImagePullSecrets              []string          `tfsdk:"image_pull_secrets" json:"image_pull_secrets,omitzero"`
	TerminationGracePeriodSeconds *int64            `tfsdk:"termination_grace_period_seconds" json:"termination_grace_period_seconds,omitzero"`
	HostNetwork                   *bool             `tfsdk:"host_network" json:"host_network,omitzero"`
	DNSPolicy                     *string           `tfsdk:"dns_policy" json:"dns_policy,omitzero"`
	ReadinessProbe                *ReadinessProbe   `tfsdk:"readiness_probe" json:"readiness_probe,omitzero"`
	PreStop                       *PreStop          `tfsdk:"pre_stop" json:"pre_stop,omitzero"`
	Sysctls                       map[string]string `tfsdk:"sysctls" json:"sysctls,omitzero"`
}

// SecretVolume mounts a Secret of the gateway's namespace, read-only.
type SecretVolume struct {
	Name       string `tfsdk:"name" json:"name"`
	SecretName string `tfsdk:"secret_name" json:"secret_name"`
	MountPath  string `tfsdk:"mount_path" json:"mount_path"`
	Optional   *bool  `tfsdk:"optional" json:"optional,omitzero"`
}

// ConfigMapVolume mounts a ConfigMap of the gateway's namespace, read-only.
type ConfigMapVolume struct {
	Name          string `tfsdk:"name" json:"name"`
	ConfigMapName string `tfsdk:"config_map_name" json:"config_map_name"`
	MountPath     string `tfsdk:"mount_path" json:"mount_path"`
	Optional      *bool  `tfsdk:"optional" json:"optional,omitzero"`
}

// ReadinessProbe is how often the kubelet asks the proxy whether it is ready.
type ReadinessProbe struct {
	InitialDelaySeconds *int64 `tfsdk:"initial_delay_seconds" json:"initial_delay_seconds,omitzero"`
	PeriodSeconds       *int64 `tfsdk:"period_seconds" json:"period_seconds,omitzero"`
	TimeoutSeconds      *int64 `tfsdk:"timeout_seconds" json:"timeout_seconds,omitzero"`
	SuccessThreshold    *int64 `tfsdk:"success_threshold" json:"success_threshold,omitzero"`
	FailureThreshold    *int64 `tfsdk:"failure_threshold" json:"failure_threshold,omitzero"`
}

// PreStop runs before the proxy is told to stop. Exactly one field is set.
type PreStop struct {
	Exec    *ExecAction    `tfsdk:"exec" json:"exec,omitzero"`
	HTTPGet *HTTPGetAction `tfsdk:"http_get" json:"http_get,omitzero"`
	Sleep   *SleepAction   `tfsdk:"sleep" json:"sleep,omitzero"`
}

// ExecAction runs a command in the container.
type ExecAction struct {
	Command []string `tfsdk:"command" json:"command"`
}

// HTTPGetAction asks the pod by HTTP.
type HTTPGetAction struct {
	Path   *string `tfsdk:"path" json:"path,omitzero"`
	Port   int64   `tfsdk:"port" json:"port"`
	Scheme *string `tfsdk:"scheme" json:"scheme,omitzero"` // HTTP (nil) or HTTPS
}

// SleepAction lets the container go on for a while.
type SleepAction struct {
	Seconds int64 `tfsdk:"seconds" json:"seconds"`
}
