package workload

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

func (v *validator) scheduling(g Gateway) {
	v.check(at{"node_selector"}, CheckSelector(g.NodeSelector))
	for i, t := range g.Tolerations {
		v.toleration(at{"tolerations", i}, t)
	}
	if a := g.Affinity; a != nil {
		path := at{"affinity"}
		if a.NodeAffinity != nil {
			v.nodeAffinity(path.in("node_affinity"), *a.NodeAffinity)
		}
		if a.PodAffinity != nil {
			v.podAffinity(path.in("pod_affinity"), *a.PodAffinity)
		}
		if a.PodAntiAffinity != nil {
			v.podAffinity(path.in("pod_anti_affinity"), *a.PodAntiAffinity)
		}
	}
	type pair struct{ key, action string }
	seen := map[pair]int{}
	for i, t := range g.TopologySpreadConstraints {
		path := at{"topology_spread_constraints", i}
		v.topologySpreadConstraint(path, t)
		p := pair{t.TopologyKey, t.WhenUnsatisfiable}
		if other, taken := seen[p]; taken {
			v.add(path, "Duplicate topology spread constraint", "topology_spread_constraints[%d] has the same topology_key and when_unsatisfiable.", other)
			continue
		}
		seen[p] = i
	}
	if g.PriorityClassName != nil {
		v.check(at{"priority_class_name"}, first("Invalid priority class name", *g.PriorityClassName, validation.IsDNS1123Subdomain(*g.PriorityClassName)))
	}
}

func (v *validator) toleration(path at, t Toleration) {
	operator, key := or(t.Operator, string(corev1.TolerationOpEqual)), or(t.Key, "")
	v.oneOf(path.in("operator"), t.Operator, TolerationOperators)
	v.oneOf(path.in("effect"), t.Effect, TaintEffects)
	if key != "" {
		v.check(path.in("key"), first("Invalid taint key", key, validation.IsQualifiedName(key)))
	} else if operator != string(corev1.TolerationOpExists) {
		v.add(path.in("operator"), "Toleration without a key", "Only operator = \"Exists\" goes without a key: it tolerates every taint.")
	}
	if operator == string(corev1.TolerationOpExists) && or(t.Value, "") != "" {
		v.add(path.in("value"), "Value of an Exists toleration", "operator = \"Exists\" looks at the key alone. Leave value out.")
	} else if t.Value != nil {
		v.check(path.in("value"), first("Invalid taint value", *t.Value, validation.IsValidLabelValue(*t.Value)))
	}
	if t.TolerationSeconds != nil && or(t.Effect, "") != string(corev1.TaintEffectNoExecute) {
		v.add(path.in("toleration_seconds"), "Seconds without NoExecute", "toleration_seconds says how long a pod stays on a node that evicts it: effect must be \"NoExecute\".")
	}
}

func (v *validator) nodeAffinity(path at, a NodeAffinity) {
	if a.Required != nil {
		required := path.in("required_during_scheduling_ignored_during_execution", "node_selector_terms")
		if len(a.Required.NodeSelectorTerms) == 0 {
			v.add(required, "No terms", "A node selector has at least one term.")
		}
		for i, term := range a.Required.NodeSelectorTerms {
			v.nodeSelectorTerm(required.in(i), term)
		}
	}
	for i, p := range a.Preferred {
		preferred := path.in("preferred_during_scheduling_ignored_during_execution", i)
		v.weight(preferred.in("weight"), p.Weight)
		v.nodeSelectorTerm(preferred.in("preference"), p.Preference)
	}
}

func (v *validator) nodeSelectorTerm(path at, t NodeSelectorTerm) {
	if len(t.MatchExpressions)+len(t.MatchFields) == 0 {
		v.add(path, "Empty term", "A term without match_expressions and match_fields matches no node.")
	}
	for i, r := range t.MatchExpressions {
		v.requirement(path.in("match_expressions", i), r, true)
	}
	for i, r := range t.MatchFields {
		field := path.in("match_fields", i)
		if r.Key != "metadata.name" {
			v.add(field.in("key"), "Unknown node field", "%q: nodes are selected by the field metadata.name alone.", r.Key)
		}
		v.oneOf(field.in("operator"), &r.Operator, FieldOperators)
		if len(r.Values) != 1 {
			v.add(field.in("values"), "Not exactly one value", "A field is compared with exactly one value.")
		}
	}
}

// requirement checks a selector requirement. Nodes also know Gt and Lt.
func (v *validator) requirement(path at, r Requirement, node bool) {
	v.check(path.in("key"), first("Invalid label key", r.Key, validation.IsQualifiedName(r.Key)))
	operators := LabelOperators
	if node {
		operators = NodeOperators
	}
	v.oneOf(path.in("operator"), &r.Operator, operators)
	switch r.Operator {
	case "In", "NotIn":
		if len(r.Values) == 0 {
			v.add(path.in("values"), "No values", "operator = %q compares with at least one value.", r.Operator)
		}
	case "Exists", "DoesNotExist":
		if len(r.Values) > 0 {
			v.add(path.in("values"), "Values of an existence test", "operator = %q looks at the key alone. Leave values out.", r.Operator)
		}
	case "Gt", "Lt":
		if len(r.Values) != 1 {
			v.add(path.in("values"), "Not exactly one value", "operator = %q compares with exactly one integer.", r.Operator)
		} else if _, err := strconv.ParseInt(r.Values[0], 10, 64); err != nil {
			v.add(path.in("values"), "Not an integer", "operator = %q compares with an integer, %q is none.", r.Operator, r.Values[0])
		}
	}
	if r.Operator == "In" || r.Operator == "NotIn" {
		for i, value := range r.Values {
			v.check(path.in("values", i), first("Invalid label value", value, validation.IsValidLabelValue(value)))
		}
	}
}

func (v *validator) podAffinity(path at, a PodAffinity) {
	for i, t := range a.Required {
		v.podAffinityTerm(path.in("required_during_scheduling_ignored_during_execution", i), t)
	}
	for i, t := range a.Preferred {
		preferred := path.in("preferred_during_scheduling_ignored_during_execution", i)
		v.weight(preferred.in("weight"), t.Weight)
		v.podAffinityTerm(preferred.in("pod_affinity_term"), t.PodAffinityTerm)
	}
}

func (v *validator) podAffinityTerm(path at, t PodAffinityTerm) {
	v.check(path.in("topology_key"), first("Invalid topology key", t.TopologyKey, validation.IsQualifiedName(t.TopologyKey)))
	v.labelSelector(path.in("label_selector"), t.LabelSelector)
	v.labelSelector(path.in("namespace_selector"), t.NamespaceSelector)
	for i, namespace := range t.Namespaces {
		v.check(path.in("namespaces", i), CheckNamespace(namespace))
	}
}

func (v *validator) labelSelector(path at, s *LabelSelector) {
	if s == nil {
		return
	}
	v.check(path.in("match_labels"), CheckSelector(s.MatchLabels))
	for i, r := range s.MatchExpressions {
		v.requirement(path.in("match_expressions", i), r, false)
	}
}

func (v *validator) topologySpreadConstraint(path at, t TopologySpreadConstraint) {
	v.atLeast(path.in("max_skew"), t.MaxSkew, 1)
	v.check(path.in("topology_key"), first("Invalid topology key", t.TopologyKey, validation.IsQualifiedName(t.TopologyKey)))
	v.oneOf(path.in("when_unsatisfiable"), &t.WhenUnsatisfiable, SpreadActions)
	v.oneOf(path.in("node_affinity_policy"), t.NodeAffinityPolicy, NodeInclusionPolicies)
	v.oneOf(path.in("node_taints_policy"), t.NodeTaintsPolicy, NodeInclusionPolicies)
	v.labelSelector(path.in("label_selector"), t.LabelSelector)
	if t.MinDomains != nil {
		v.atLeast(path.in("min_domains"), *t.MinDomains, 1)
		if t.WhenUnsatisfiable != string(corev1.DoNotSchedule) {
			v.add(path.in("min_domains"), "Minimum of a preference", "min_domains needs when_unsatisfiable = \"DoNotSchedule\".")
		}
	}
	for i, key := range t.MatchLabelKeys {
		v.check(path.in("match_label_keys", i), first("Invalid label key", key, validation.IsQualifiedName(key)))
	}
}

func (v *validator) weight(path at, weight int64) {
	if weight < 1 || weight > 100 {
		v.add(path, "Weight out of range", "%d is not between 1 and 100.", weight)
	}
}
