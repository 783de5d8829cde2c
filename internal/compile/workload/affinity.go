package workload

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// spreadWeight is the weight of spread_across_nodes: above whatever else is
// preferred, below nothing that is required.
const spreadWeight int32 = 100

// affinity returns the configuration's affinity and spread_across_nodes, nil
// if there is neither.
func (c compiler) affinity() *corev1ac.AffinityApplyConfiguration {
	a := or(c.Affinity, Affinity{})
	affinity := corev1ac.Affinity()
	if a.NodeAffinity != nil {
		affinity.WithNodeAffinity(nodeAffinity(*a.NodeAffinity))
	}
	if a.PodAffinity != nil {
		affinity.WithPodAffinity(corev1ac.PodAffinity().
			WithRequiredDuringSchedulingIgnoredDuringExecution(requiredTerms(*a.PodAffinity)...).
			WithPreferredDuringSchedulingIgnoredDuringExecution(preferredTerms(*a.PodAffinity)...))
	}
	anti := or(a.PodAntiAffinity, PodAffinity{})
	required, preferred := requiredTerms(anti), preferredTerms(anti)
	if c.SpreadAcrossNodes {
		preferred = append(preferred, corev1ac.WeightedPodAffinityTerm().
			WithWeight(spreadWeight).
			WithPodAffinityTerm(corev1ac.PodAffinityTerm().
				WithTopologyKey(corev1.LabelHostname).
				WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(c.podSelector()))))
	}
	if len(required)+len(preferred) > 0 {
		affinity.WithPodAntiAffinity(corev1ac.PodAntiAffinity().
			WithRequiredDuringSchedulingIgnoredDuringExecution(required...).
			WithPreferredDuringSchedulingIgnoredDuringExecution(preferred...))
	}
	if *affinity == (corev1ac.AffinityApplyConfiguration{}) {
		return nil
	}
	return affinity
}

func nodeAffinity(a NodeAffinity) *corev1ac.NodeAffinityApplyConfiguration {
	affinity := corev1ac.NodeAffinity()
	if a.Required != nil {
		selector := corev1ac.NodeSelector()
		for _, term := range a.Required.NodeSelectorTerms {
			selector.WithNodeSelectorTerms(nodeSelectorTerm(term))
		}
		affinity.WithRequiredDuringSchedulingIgnoredDuringExecution(selector)
	}
	for _, p := range a.Preferred {
		affinity.WithPreferredDuringSchedulingIgnoredDuringExecution(corev1ac.PreferredSchedulingTerm().
			WithWeight(int32(p.Weight)).
			WithPreference(nodeSelectorTerm(p.Preference)))
	}
	return affinity
}

func nodeSelectorTerm(t NodeSelectorTerm) *corev1ac.NodeSelectorTermApplyConfiguration {
	requirement := func(r Requirement) *corev1ac.NodeSelectorRequirementApplyConfiguration {
		return corev1ac.NodeSelectorRequirement().
			WithKey(r.Key).
			WithOperator(corev1.NodeSelectorOperator(r.Operator)).
			WithValues(r.Values...)
	}
	term := corev1ac.NodeSelectorTerm()
	for _, r := range t.MatchExpressions {
		term.WithMatchExpressions(requirement(r))
	}
	for _, r := range t.MatchFields {
		term.WithMatchFields(requirement(r))
	}
	return term
}

func requiredTerms(a PodAffinity) []*corev1ac.PodAffinityTermApplyConfiguration {
	var terms []*corev1ac.PodAffinityTermApplyConfiguration
	for _, t := range a.Required {
		terms = append(terms, podAffinityTerm(t))
	}
	return terms
}

func preferredTerms(a PodAffinity) []*corev1ac.WeightedPodAffinityTermApplyConfiguration {
	var terms []*corev1ac.WeightedPodAffinityTermApplyConfiguration
	for _, t := range a.Preferred {
		terms = append(terms, corev1ac.WeightedPodAffinityTerm().
			WithWeight(int32(t.Weight)).
			WithPodAffinityTerm(podAffinityTerm(t.PodAffinityTerm)))
	}
	return terms
}

func podAffinityTerm(t PodAffinityTerm) *corev1ac.PodAffinityTermApplyConfiguration {
	term := corev1ac.PodAffinityTerm().WithTopologyKey(t.TopologyKey).WithNamespaces(t.Namespaces...)
	if t.LabelSelector != nil {
		term.WithLabelSelector(labelSelector(*t.LabelSelector))
	}
	if t.NamespaceSelector != nil {
		term.WithNamespaceSelector(labelSelector(*t.NamespaceSelector))
	}
	return term
}

func labelSelector(s LabelSelector) *metav1ac.LabelSelectorApplyConfiguration {
	selector := metav1ac.LabelSelector().WithMatchLabels(s.MatchLabels)
	for _, r := range s.MatchExpressions {
		selector.WithMatchExpressions(metav1ac.LabelSelectorRequirement().
			WithKey(r.Key).
			WithOperator(metav1.LabelSelectorOperator(r.Operator)).
			WithValues(r.Values...))
	}
	return selector
}

func toleration(t Toleration) *corev1ac.TolerationApplyConfiguration {
	toleration := corev1ac.Toleration()
	toleration.Key = nonZero(t.Key)
	toleration.Operator = typed[corev1.TolerationOperator](t.Operator)
	toleration.Value = nonZero(t.Value)
	toleration.Effect = typed[corev1.TaintEffect](t.Effect)
	toleration.TolerationSeconds = t.TolerationSeconds
	return toleration
}

// topologySpreadConstraint counts the gateway's own pods unless it says
// otherwise: without a selector Kubernetes counts none.
func (c compiler) topologySpreadConstraint(t TopologySpreadConstraint) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	constraint := corev1ac.TopologySpreadConstraint().
		WithMaxSkew(int32(t.MaxSkew)).
		WithTopologyKey(t.TopologyKey).
		WithWhenUnsatisfiable(corev1.UnsatisfiableConstraintAction(t.WhenUnsatisfiable)).
		WithMatchLabelKeys(t.MatchLabelKeys...)
	if t.LabelSelector != nil {
		constraint.WithLabelSelector(labelSelector(*t.LabelSelector))
	} else {
		constraint.WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(c.podSelector()))
	}
	constraint.MinDomains = int32p(t.MinDomains)
	constraint.NodeAffinityPolicy = typed[corev1.NodeInclusionPolicy](t.NodeAffinityPolicy)
	constraint.NodeTaintsPolicy = typed[corev1.NodeInclusionPolicy](t.NodeTaintsPolicy)
	return constraint
}
