package outbound

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
)

// Modes are the values of `mode`. A Sidecar knows no other ones
// (istio.io/api/networking/v1alpha3, OutboundTrafficPolicy.Mode).
func Modes() []string { return []string{meshconfig.AllowAny, meshconfig.RegistryOnly} }

// Validate returns what is wrong with a policy beside its single values, as
// far as it can be said without the cluster; of a fact of the mesh that is
// empty, nothing.
func Validate(p Policy, mesh compile.Mesh) []compile.Problem {
	var problems []compile.Problem
	fail := func(attribute, summary, detail string) {
		problems = append(problems, compile.Problem{Path: []any{attribute}, Summary: summary, Detail: detail})
	}
	if p.WorkloadSelector != nil && p.Namespace == nil {
		fail("workload_selector", "A workload selector without a namespace",
			"A Sidecar selects workloads of its own namespace. Set `namespace`, or leave `workload_selector` out to speak for the whole mesh.")
	}
	if p.WorkloadSelector != nil && p.Name == nil {
		fail("name", "The Sidecar needs a name",
			"With `workload_selector` the policy becomes a Sidecar of its own: set `name` to what it shall be called.")
	}
	if p.WorkloadSelector == nil && p.Name != nil {
		fail("name", "A name without a workload selector",
			"Only the Sidecar of a `workload_selector` is named by `name`: that of a namespace is the one that is there, or `"+DefaultName+"`. Leave `name` out, or set `workload_selector`.")
	}
	if p.Namespace != nil && mesh.RootNamespace != "" && *p.Namespace == mesh.RootNamespace {
		fail("namespace", "The namespace is Istio's root namespace", fmt.Sprintf(
			"A Sidecar in %q acts on every namespace that has none of its own. Leave `namespace` out to set the mode of the mesh.", mesh.RootNamespace))
	}
	return problems
}

// CheckNamespace says what is wrong with the name of a namespace.
func CheckNamespace(name string) *compile.Problem {
	return first("Invalid namespace", name, validation.IsDNS1123Label(name))
}

// CheckName says what is wrong with the name of a Sidecar.
func CheckName(name string) *compile.Problem {
	return first("Invalid name", name, validation.IsDNS1123Subdomain(name))
}

// CheckRevision says what is wrong with a revision, which is a label and part
// of the name of a ConfigMap.
func CheckRevision(revision string) *compile.Problem {
	if revision == "" {
		return &compile.Problem{Summary: "Invalid revision", Detail: "A revision is not empty. Leave the attribute out for the provider's."}
	}
	return first("Invalid revision", revision, validation.IsValidLabelValue(revision))
}

// CheckSelector says what is wrong with labels that select workloads.
func CheckSelector(labels map[string]string) *compile.Problem {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if p := first("Invalid label key", key, validation.IsQualifiedName(key)); p != nil {
			return p
		}
		if p := first("Invalid label value", key+"="+labels[key], validation.IsValidLabelValue(labels[key])); p != nil {
			return p
		}
	}
	return nil
}

func first(summary, value string, found []string) *compile.Problem {
	if len(found) == 0 {
		return nil
	}
	return &compile.Problem{Summary: summary, Detail: fmt.Sprintf("%q: %s.", value, strings.Join(found, "; "))}
}
