package workload

import "github.com/meshegress/terraform-provider-istio/internal/compile"

// Gateway is the intent of one istio_egress_gateway. A nil pointer, slice or
// map is an attribute that the configuration leaves out; attributes with a
// default always have a value. Names and shapes are those of the Kubernetes
// API in snake_case.
type Gateway struct {
	Name                      string                     `tfsdk:"name" json:"name"`
	Namespace                 string                     `tfsdk:"namespace" json:"namespace"`
	Labels                    map[string]string          `tfsdk:"labels" json:"labels,omitzero"`
	Annotations               map[string]string          `tfsdk:"annotations" json:"annotations,omitzero"`
	Revision                  *string                    `tfsdk:"revision" json:"revision,omitzero"`
	Ports                     []Port                     `tfsdk:"ports" json:"ports"`
	Service                   *Service                   `tfsdk:"service" json:"service,omitzero"`
	Replicas                  *int64                     `tfsdk:"replicas" json:"replicas,omitzero"`
	Autoscaling               *Autoscaling               `tfsdk:"autoscaling" json:"autoscaling,omitzero"`
	RollingUpdate             *RollingUpdate             `tfsdk:"rolling_update" json:"rolling_update,omitzero"`
	Resources                 *Resources                 `tfsdk:"resources" json:"resources,omitzero"`
	SpreadAcrossNodes         bool                       `tfsdk:"spread_across_nodes" json:"spread_across_nodes"`
	NodeSelector              map[string]string          `tfsdk:"node_selector" json:"node_selector,omitzero"`
	Tolerations               []Toleration               `tfsdk:"tolerations" json:"tolerations,omitzero"`
	Affinity                  *Affinity                  `tfsdk:"affinity" json:"affinity,omitzero"`
	TopologySpreadConstraints []TopologySpreadConstraint `tfsdk:"topology_spread_constraints" json:"topology_spread_constraints,omitzero"`
	PriorityClassName         *string                    `tfsdk:"priority_class_name" json:"priority_class_name,omitzero"`
	Pod                       *Pod                       `tfsdk:"pod" json:"pod,omitzero"`
	RunAsRoot                 bool                       `tfsdk:"run_as_root" json:"run_as_root"`
	PodDisruptionBudget       *PodDisruptionBudget       `tfsdk:"pod_disruption_budget" json:"pod_disruption_budget,omitzero"`
	MutualTLS                 bool                       `tfsdk:"mutual_tls" json:"mutual_tls"`
	Authorization             string                     `tfsdk:"authorization" json:"authorization"` // compile.Authorization
	NetworkPolicy             bool                       `tfsdk:"network_policy" json:"network_policy"`
	AccessLog                 bool                       `tfsdk:"access_log" json:"access_log"`
	WaitForRollout            bool                       `tfsdk:"wait_for_rollout" json:"wait_for_rollout"`
	ForceDestroy              bool                       `tfsdk:"force_destroy" json:"force_destroy"`
	// Timeouts are no part of any object. They stand in the intent so that an
	// import restores them.
	Timeouts *Timeouts `tfsdk:"timeouts" json:"timeouts,omitzero"`
}

// Defaults returns the intent of a configuration that says nothing.
func Defaults() Gateway {
	return Gateway{
		Namespace: "istio-egress",
		Ports: []Port{
			{Name: "http", Port: 80, TargetPort: ptr[int64](8080)},
			{Name: "https", Port: 443, TargetPort: ptr[int64](8443)},
		},
		SpreadAcrossNodes: true,
		MutualTLS:         true,
		Authorization:     string(compile.AuthorizationAllowListed),
		AccessLog:         true,
		WaitForRollout:    true,
	}
}

// Port is a port of the gateway's Service.
type Port struct {
	Name        string  `tfsdk:"name" json:"name"`
	Port        int64   `tfsdk:"port" json:"port"`
	TargetPort  *int64  `tfsdk:"target_port" json:"target_port,omitzero"` // nil: the same as Port
	Protocol    *string `tfsdk:"protocol" json:"protocol,omitzero"`       // TCP (nil) or UDP
	AppProtocol *string `tfsdk:"app_protocol" json:"app_protocol,omitzero"`
	NodePort    *int64  `tfsdk:"node_port" json:"node_port,omitzero"`
}

// Target returns the port of the pods.
func (p Port) Target() int64 {
	if p.TargetPort != nil {
		return *p.TargetPort
	}
	return p.Port
}

// Transport returns the protocol of the port.
func (p Port) Transport() string { return or(p.Protocol, "TCP") }

// Service is how the gateway's Service is exposed.
type Service struct {
	Type                     *string           `tfsdk:"type" json:"type,omitzero"` // ClusterIP (nil), NodePort or LoadBalancer
	Annotations              map[string]string `tfsdk:"annotations" json:"annotations,omitzero"`
	Labels                   map[string]string `tfsdk:"labels" json:"labels,omitzero"`
	LoadBalancerIP           *string           `tfsdk:"load_balancer_ip" json:"load_balancer_ip,omitzero"`
	LoadBalancerClass        *string           `tfsdk:"load_balancer_class" json:"load_balancer_class,omitzero"`
	LoadBalancerSourceRanges []string          `tfsdk:"load_balancer_source_ranges" json:"load_balancer_source_ranges,omitzero"`
	ExternalTrafficPolicy    *string           `tfsdk:"external_traffic_policy" json:"external_traffic_policy,omitzero"`
	InternalTrafficPolicy    *string           `tfsdk:"internal_traffic_policy" json:"internal_traffic_policy,omitzero"`
	SessionAffinity          *string           `tfsdk:"session_affinity" json:"session_affinity,omitzero"`
	IPFamilies               []string          `tfsdk:"ip_families" json:"ip_families,omitzero"`
	IPFamilyPolicy           *string           `tfsdk:"ip_family_policy" json:"ip_family_policy,omitzero"`
}

// Autoscaling is a HorizontalPodAutoscaler. Utilizations are percentages of
// the requested resource.
type Autoscaling struct {
	MinReplicas       *int64 `tfsdk:"min_replicas" json:"min_replicas,omitzero"`
	MaxReplicas       int64  `tfsdk:"max_replicas" json:"max_replicas"`
	CPUUtilization    *int64 `tfsdk:"cpu_utilization" json:"cpu_utilization,omitzero"`
	MemoryUtilization *int64 `tfsdk:"memory_utilization" json:"memory_utilization,omitzero"`
}

// RollingUpdate bounds an update of the pods. Each is an integer or a
// percentage such as "25%".
type RollingUpdate struct {
	MaxUnavailable *string `tfsdk:"max_unavailable" json:"max_unavailable,omitzero"`
	MaxSurge       *string `tfsdk:"max_surge" json:"max_surge,omitzero"`
}

// Resources are the requests and limits of the proxy container, quantity by
// resource name.
type Resources struct {
	Requests map[string]string `tfsdk:"requests" json:"requests,omitzero"`
	Limits   map[string]string `tfsdk:"limits" json:"limits,omitzero"`
}

// PodDisruptionBudget bounds voluntary evictions. Each is an integer or a
// percentage; exactly one is set.
type PodDisruptionBudget struct {
	MinAvailable   *string `tfsdk:"min_available" json:"min_available,omitzero"`
	MaxUnavailable *string `tfsdk:"max_unavailable" json:"max_unavailable,omitzero"`
}

// Timeouts are Go durations.
type Timeouts struct {
	Create *string `tfsdk:"create" json:"create,omitzero"`
	Read   *string `tfsdk:"read" json:"read,omitzero"`
	Update *string `tfsdk:"update" json:"update,omitzero"`
	Delete *string `tfsdk:"delete" json:"delete,omitzero"`
}

// or returns what the pointer points to, or the fallback.
func or[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}
