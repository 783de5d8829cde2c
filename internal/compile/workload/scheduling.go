package workload

// Toleration lets pods onto nodes with a matching taint.
type Toleration struct {
	Key               *string `tfsdk:"key" json:"key,omitzero"`
	Operator          *string `tfsdk:"operator" json:"operator,omitzero"` // Equal (nil) or Exists
	Value             *string `tfsdk:"value" json:"value,omitzero"`
	Effect            *string `tfsdk:"effect" json:"effect,omitzero"` // nil matches every effect
	TolerationSeconds *int64  `tfsdk:"toleration_seconds" json:"toleration_seconds,omitzero"`
}

// Affinity is core/v1 Affinity.
type Affinity struct {
	NodeAffinity    *NodeAffinity `tfsdk:"node_affinity" json:"node_affinity,omitzero"`
	PodAffinity     *PodAffinity  `tfsdk:"pod_affinity" json:"pod_affinity,omitzero"`
	PodAntiAffinity *PodAffinity  `tfsdk:"pod_anti_affinity" json:"pod_anti_affinity,omitzero"`
}

// NodeAffinity is core/v1 NodeAffinity.
type NodeAffinity struct {
	Required  *NodeSelector             `tfsdk:"required_during_scheduling_ignored_during_execution" json:"required_during_scheduling_ignored_during_execution,omitzero"`
	Preferred []PreferredSchedulingTerm `tfsdk:"preferred_during_scheduling_ignored_during_execution" json:"preferred_during_scheduling_ignored_during_execution,omitzero"`
}

// NodeSelector is core/v1 NodeSelector: a node matches if one term does.
type NodeSelector struct {
	NodeSelectorTerms []NodeSelectorTerm `tfsdk:"node_selector_terms" json:"node_selector_terms"`
}

// NodeSelectorTerm is core/v1 NodeSelectorTerm: all its requirements hold.
type NodeSelectorTerm struct {
	MatchExpressions []Requirement `tfsdk:"match_expressions" json:"match_expressions,omitzero"`
	MatchFields      []Requirement `tfsdk:"match_fields" json:"match_fields,omitzero"`
}

// Requirement is core/v1 NodeSelectorRequirement and meta/v1
// LabelSelectorRequirement, which have the same form.
type Requirement struct {
	Key      string   `tfsdk:"key" json:"key"`
	Operator string   `tfsdk:"operator" json:"operator"`
	Values   []string `tfsdk:"values" json:"values,omitzero"`
}

// PreferredSchedulingTerm is core/v1 PreferredSchedulingTerm.
type PreferredSchedulingTerm struct {
	Weight     int64            `tfsdk:"weight" json:"weight"`
	Preference NodeSelectorTerm `tfsdk:"preference" json:"preference"`
}

// PodAffinity is core/v1 PodAffinity and PodAntiAffinity, which have the same
// form.
type PodAffinity struct {
	Required  []PodAffinityTerm         `tfsdk:"required_during_scheduling_ignored_during_execution" json:"required_during_scheduling_ignored_during_execution,omitzero"`
	Preferred []WeightedPodAffinityTerm `tfsdk:"preferred_during_scheduling_ignored_during_execution" json:"preferred_during_scheduling_ignored_during_execution,omitzero"`
}

// PodAffinityTerm is core/v1 PodAffinityTerm.
type PodAffinityTerm struct {
	LabelSelector     *LabelSelector `tfsdk:"label_selector" json:"label_selector,omitzero"`
	NamespaceSelector *LabelSelector `tfsdk:"namespace_selector" json:"namespace_selector,omitzero"`
	Namespaces        []string       `tfsdk:"namespaces" json:"namespaces,omitzero"`
	TopologyKey       string         `tfsdk:"topology_key" json:"topology_key"`
}

// WeightedPodAffinityTerm is core/v1 WeightedPodAffinityTerm.
type WeightedPodAffinityTerm struct {
	Weight          int64           `tfsdk:"weight" json:"weight"`
	PodAffinityTerm PodAffinityTerm `tfsdk:"pod_affinity_term" json:"pod_affinity_term"`
}

// LabelSelector is meta/v1 LabelSelector.
type LabelSelector struct {
	MatchLabels      map[string]string `tfsdk:"match_labels" json:"match_labels,omitzero"`
	MatchExpressions []Requirement     `tfsdk:"match_expressions" json:"match_expressions,omitzero"`
}

// TopologySpreadConstraint is core/v1 TopologySpreadConstraint.
type TopologySpreadConstraint struct {
	MaxSkew            int64          `tfsdk:"max_skew" json:"max_skew"`
	TopologyKey        string         `tfsdk:"topology_key" json:"topology_key"`
	WhenUnsatisfiable  string         `tfsdk:"when_unsatisfiable" json:"when_unsatisfiable"`
	LabelSelector      *LabelSelector `tfsdk:"label_selector" json:"label_selector,omitzero"` // nil: the gateway's own pods
	MatchLabelKeys     []string       `tfsdk:"match_label_keys" json:"match_label_keys,omitzero"`
	MinDomains         *int64         `tfsdk:"min_domains" json:"min_domains,omitzero"`
	NodeAffinityPolicy *string        `tfsdk:"node_affinity_policy" json:"node_affinity_policy,omitzero"`
	NodeTaintsPolicy   *string        `tfsdk:"node_taints_policy" json:"node_taints_policy,omitzero"`
}
