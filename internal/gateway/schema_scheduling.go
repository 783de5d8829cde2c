package gateway

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

const (
	required  = "required_during_scheduling_ignored_during_execution"
	preferred = "preferred_during_scheduling_ignored_during_execution"
)

func schedulingAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"spread_across_nodes": flag("Prefer nodes that have no pod of this gateway yet: a preferred pod anti-affinity by hostname, in addition to `affinity`.", defaults.SpreadAcrossNodes),
		"node_selector":       optionalMap("Labels of the nodes that the pods may run on.", workload.CheckSelector),
		"priority_class_name": optionalString("PriorityClass of the pods."),
		"tolerations": optionalObjects("Taints of nodes that the pods tolerate.", map[string]schema.Attribute{
			"key":                optionalString("Key of the taint. Default: every key, with `operator = \"Exists\"`."),
			"operator":           oneOf("How the taint is compared. Default: `Equal`.", workload.TolerationOperators),
			"value":              optionalString("Value of the taint, for `Equal`."),
			"effect":             oneOf("Effect of the taint. Default: every effect.", workload.TaintEffects),
			"toleration_seconds": optionalInt("How long a pod stays on a node that gets the taint, for `NoExecute`. Default: forever."),
		}),
		"affinity": optionalObject("Affinity of the pods to nodes and to other pods, as in the Kubernetes API.", map[string]schema.Attribute{
			"node_affinity": optionalObject("Nodes that the pods must or should run on.", map[string]schema.Attribute{
				required: optionalObject("Nodes that the pods must run on.", map[string]schema.Attribute{
					"node_selector_terms": requiredObjects("A node must match one of these terms.", nodeSelectorTerm()),
				}),
				preferred: optionalObjects("Nodes that are preferred.", map[string]schema.Attribute{
					"weight":     requiredInt("From 1 to 100: what a node gains that matches."),
					"preference": requiredObject("What a node must match.", nodeSelectorTerm()),
				}),
			}),
			"pod_affinity":      podAffinity("Pods that these pods must or should be near to."),
			"pod_anti_affinity": podAffinity("Pods that these pods must or should be away from."),
		}),
		"topology_spread_constraints": optionalObjects("How the pods are spread over zones, nodes or other domains.", map[string]schema.Attribute{
			"max_skew":             requiredInt("By how many pods domains may differ."),
			"topology_key":         requiredString("Label of nodes whose values are the domains, such as `topology.kubernetes.io/zone`."),
			"when_unsatisfiable":   requiredOneOf("What happens to a pod that no node satisfies.", workload.SpreadActions),
			"label_selector":       labelSelector("Pods that are counted. Default: those of this gateway."),
			"match_label_keys":     optionalList("Labels whose values pods must share to be counted, such as `pod-template-hash`."),
			"min_domains":          optionalInt("Least number of domains, for `DoNotSchedule`."),
			"node_affinity_policy": oneOf("Whether nodes that the pods' affinity excludes are counted. Default: `Honor`, they are not.", workload.NodeInclusionPolicies),
			"node_taints_policy":   oneOf("Whether nodes that the pods do not tolerate are left out. Default: `Ignore`, they are counted.", workload.NodeInclusionPolicies),
		}),
	}
}

func nodeSelectorTerm() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"match_expressions": optionalObjects("Requirements on the labels of the node; all must hold.",
			requirement("Key of the label.", workload.NodeOperators)),
		"match_fields": optionalObjects("Requirements on the fields of the node; all must hold.",
			requirement("Field of the node: `metadata.name`.", workload.FieldOperators)),
	}
}

func requirement(key string, operators []string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"key":      requiredString(key),
		"operator": requiredOneOf("How it is compared.", operators),
		"values":   optionalList("What it is compared with."),
	}
}

func podAffinity(description string) schema.SingleNestedAttribute {
	return optionalObject(description, map[string]schema.Attribute{
		required: optionalObjects("Terms that must hold.", podAffinityTerm()),
		preferred: optionalObjects("Terms that are preferred.", map[string]schema.Attribute{
			"weight":            requiredInt("From 1 to 100: what a node gains on which the term holds."),
			"pod_affinity_term": requiredObject("The term.", podAffinityTerm()),
		}),
	})
}

func podAffinityTerm() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"label_selector":     labelSelector("Pods that are meant. Default: none."),
		"namespace_selector": labelSelector("Namespaces of those pods, in addition to `namespaces`; an empty selector means all. Default: that of the gateway, if `namespaces` is not set either."),
		"namespaces":         optionalList("Namespaces of those pods.", workload.CheckNamespace),
		"topology_key":       requiredString("Label of nodes whose value says what is near, such as `kubernetes.io/hostname`."),
	}
}

func labelSelector(description string) schema.SingleNestedAttribute {
	return optionalObject(description, map[string]schema.Attribute{
		"match_labels": optionalMap("Labels with exactly these values.", workload.CheckSelector),
		"match_expressions": optionalObjects("Requirements on labels; all must hold.",
			requirement("Key of the label.", workload.LabelOperators)),
	})
}
