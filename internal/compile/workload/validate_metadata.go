package workload

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// ownPrefix is that of the annotations and labels that tell whose an object is.
const ownPrefix = compile.Prefix

// reservedLabels are set by the compiler on every object and on the pods.
var reservedLabels = []string{
	compile.LabelManagedBy, compile.LabelPartOf, compile.LabelRevision,
	labelApp, labelName, compile.GatewayLabel, labelInject, labelDataplane,
}

// reservedAnnotations decide how the pods are completed.
var reservedAnnotations = []string{labelInject, annotationTemplates}

// CheckLabels says what is wrong with labels of an object or of the pods.
func CheckLabels(labels map[string]string) *compile.Problem {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if p := checkKey("label", key, reservedLabels); p != nil {
			return p
		}
		if errors := validation.IsValidLabelValue(labels[key]); len(errors) > 0 {
			return first("Invalid label value", key+"="+labels[key], errors)
		}
	}
	return nil
}

// CheckAnnotations says what is wrong with annotations of an object or of the
// pods.
func CheckAnnotations(annotations map[string]string) *compile.Problem {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if p := checkKey("annotation", key, reservedAnnotations); p != nil {
			return p
		}
	}
	return nil
}

// CheckSelector says what is wrong with labels that select something.
func CheckSelector(labels map[string]string) *compile.Problem {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if p := checkKey("label", key, nil); p != nil {
			return p
		}
		if errors := validation.IsValidLabelValue(labels[key]); len(errors) > 0 {
			return first("Invalid label value", key+"="+labels[key], errors)
		}
	}
	return nil
}

func checkKey(noun, key string, reserved []string) *compile.Problem {
	// Annotation keys are compared in lower case by the API server.
	name := key
	if noun == "annotation" {
		name = strings.ToLower(key)
	}
	if errors := validation.IsQualifiedName(name); len(errors) > 0 {
		return first("Invalid "+noun+" key", key, errors)
	}
	if slices.Contains(reserved, key) || (reserved != nil && strings.HasPrefix(key, ownPrefix)) {
		return problem("Reserved "+noun, "%q is set by the provider: pods are selected, injected and owned by it. Leave it out.", key)
	}
	return nil
}
