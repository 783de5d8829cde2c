package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Lengths of names.
const (
	// maxPolicyName leaves room for serviceSuffix in the name of a Service.
	maxPolicyName = maxLabel - len(serviceSuffix)
	// maxGatewayName leaves room for "-65535" in the name of a Gateway.
	maxGatewayName = maxLabel - len("-65535")
	// maxSpec keeps AnnotationSpec, with the other annotations of its object,
	// below the 256 KiB that the API server takes
	// (k8s.io/apimachinery/pkg/api/validation, TotalAnnotationSizeLimitB).
	maxSpec = 240 << 10
)

// Validate returns what is wrong with a policy as far as it can be said
// without the cluster (and of facts of the mesh that are empty, nothing): what the API server or istiod would refuse, what istiod
// or Envoy would silently drop, and what would not mean what it says.
//
// The problems come in the order of the configuration; conflicts between
// entries last. Conflicts are looked for only when every part is right by
// itself.
func Validate(p Policy, mesh compile.Mesh) []compile.Problem {
	v := &validator{policy: p, mesh: mesh}
	v.head()
	v.reference()
	v.rules()
	if !v.failed() {
		v.conflicts()
	}
	return v.problems
}

// validator collects problems.
type validator struct {
	policy   Policy
	mesh     compile.Mesh
	problems []compile.Problem
}

// where is the path of an attribute.
type where []any

func (w where) at(steps ...any) where { return append(slices.Clone(w), steps...) }

func (v *validator) fail(at where, summary, format string, args ...any) {
	v.problems = append(v.problems, compile.Problem{Path: at, Summary: summary, Detail: fmt.Sprintf(format, args...)})
}

func (v *validator) warn(at where, summary, format string, args ...any) {
	v.problems = append(v.problems, compile.Problem{Path: at, Summary: summary, Detail: fmt.Sprintf(format, args...), Warning: true})
}

func (v *validator) failed() bool {
	return slices.ContainsFunc(v.problems, func(p compile.Problem) bool { return !p.Warning })
}

// syntax reports what apimachinery's validation says of a value.
func (v *validator) syntax(at where, summary, value string, found []string) bool {
	if len(found) > 0 {
		v.fail(at, summary, "%q: %s.", value, strings.Join(found, "; "))
	}
	return len(found) == 0
}

func (v *validator) direct() bool { return v.policy.ByEgressGateway == nil }

// mutualTLS reports whether sidecars speak mutual TLS to the gateway.
func (v *validator) mutualTLS() bool { return !v.direct() && v.policy.ByEgressGateway.UsesMutualTLS() }

// head checks the policy's own attributes.
func (v *validator) head() {
	p := v.policy
	// The name of a Service begins with a letter.
	if v.syntax(where{"name"}, "Invalid policy name", p.Name, validation.IsDNS1035Label(p.Name)) && len(p.Name) > maxPolicyName {
		v.fail(where{"name"}, "Policy name too long",
			"%q has %d characters. At most %d leave room for the name of the policy's Service, %q.",
			p.Name, len(p.Name), maxPolicyName, ServiceName(p.Name))
	}
	v.revision(where{"revision"}, p.Revision)
	switch p.UnselectedWorkloads {
	case Deny:
	case Direct:
		if v.direct() {
			v.fail(where{"unselected_workloads"}, "No workload is unselected in a direct policy",
				"Without by_egress_gateway every workload of the source namespaces reaches the hosts directly. Leave unselected_workloads out.")
		}
	default:
		v.fail(where{"unselected_workloads"}, "Unknown value", "%q is neither %q nor %q.", p.UnselectedWorkloads, Deny, Direct)
	}
	if size := len(Spec(p)); size > maxSpec {
		v.fail(where{"egress_rules"}, "Policy too large",
			"The policy is recorded as JSON in an annotation; with %d bytes it does not fit. Split it into several policies.", size)
	}
}

// reference checks by_egress_gateway.
func (v *validator) reference() {
	if v.direct() {
		return
	}
	at, ref := where{"by_egress_gateway"}, *v.policy.ByEgressGateway
	if v.syntax(at.at("name"), "Invalid gateway name", ref.Name, validation.IsDNS1123Label(ref.Name)) && len(ref.Name) > maxGatewayName {
		v.fail(at.at("name"), "Gateway name too long",
			"%q has %d characters. At most %d leave room for the port in the names of its Gateway objects.", ref.Name, len(ref.Name), maxGatewayName)
	}
	v.syntax(at.at("namespace"), "Invalid namespace", ref.Namespace, validation.IsDNS1123Label(ref.Namespace))
	if ref.Namespace == v.mesh.RootNamespace && ref.Namespace != "" {
		v.fail(at.at("namespace"), "Gateway in Istio's root namespace",
			"Namespace %q is the root namespace of the mesh: there the AuthorizationPolicy and the DestinationRules of a policy would act on the whole mesh. "+
				"Use a gateway in a namespace of its own.", ref.Namespace)
	}
	v.labels(at.at("selector"), ref.Selector)
	v.revision(at.at("revision"), ref.Revision)
	if ref.ServiceAccount != nil {
		v.syntax(at.at("service_account"), "Invalid service account", *ref.ServiceAccount, validation.IsDNS1123Subdomain(*ref.ServiceAccount))
	}
	if ref.Authorization == nil {
		return
	}
	switch compile.Authorization(*ref.Authorization) {
	case compile.AuthorizationNone:
	case compile.AuthorizationAllowListed:
		if !ref.UsesMutualTLS() {
			v.fail(at.at("authorization"), "Authorization needs mutual TLS",
				`Without mutual TLS the gateway does not know its callers: set authorization = "none" or mutual_tls = true.`)
		}
	default:
		v.fail(at.at("authorization"), "Unknown value", "%q is neither %q nor %q.",
			*ref.Authorization, compile.AuthorizationAllowListed, compile.AuthorizationNone)
	}
}

// rules checks each rule by itself, and the names.
func (v *validator) rules() {
	if len(v.policy.EgressRules) == 0 {
		v.fail(where{"egress_rules"}, "No rules", "A policy has at least one rule.")
	}
	rules, entries := map[string]where{}, map[string]where{}
	for i, rule := range v.policy.EgressRules {
		at := where{"egress_rules", i}
		if rule.Name != nil {
			v.unique(rules, at.at("name"), "rule", *rule.Name)
		}
		v.from(at, rule)
		if len(rule.To) == 0 {
			v.fail(at.at("to"), "No entries", "A rule names at least one external service in to.")
		}
		for j, to := range rule.To {
			v.unique(entries, at.at("to", j, "name"), "entry", to.Name)
			v.entry(at.at("to", j), to)
		}
	}
}

func (v *validator) unique(seen map[string]where, at where, kind, name string) {
	if first, ok := seen[name]; ok {
		v.fail(at, "Duplicate "+kind+" name", "The name %q stands at %s too. Names of this kind are unique in a policy.", name, first)
		return
	}
	seen[name] = at
}

// from checks the sources of a rule.
func (v *validator) from(at where, rule Rule) {
	if len(rule.From) == 0 {
		v.fail(at.at("from"), "No sources", "A rule names at least one source in from.")
	}
	named := slices.IndexFunc(rule.From, func(f From) bool { return len(f.ServiceAccounts) > 0 })
	for i, from := range rule.From {
		at := at.at("from", i)
		v.syntax(at.at("namespace"), "Invalid namespace", from.Namespace, validation.IsDNS1123Label(from.Namespace))
		if !v.direct() && from.Namespace == v.policy.ByEgressGateway.Namespace {
			v.fail(at.at("namespace"), "Source in the gateway's namespace",
				"Namespace %q holds the gateway: there the ServiceEntry for the gateway and the one for the sources would be one. "+
					"Move the workloads or the gateway to another namespace.", from.Namespace)
		}
		v.workloads(at, from)
		v.labels(at.at("workload_selector"), from.WorkloadSelector)
		v.accounts(at.at("service_accounts"), from.ServiceAccounts)
		if named >= 0 && len(from.ServiceAccounts) == 0 {
			v.fail(at, "Service accounts for a part of the sources",
				"Source %d of this rule names service accounts, and this one does not. They share the rule's ports on the gateway, where the accounts are checked. "+
					"Split the rule: sources with service accounts in one, those without in another.", named)
		}
		if v.direct() && len(from.WorkloadSelector) > 0 {
			v.fail(at.at("workload_selector"), "Labels without a gateway",
				"Istio cannot hold direct traffic to workload labels. Leave workload_selector out, or set by_egress_gateway.")
		}
	}
}

// workloads wants a source to say whom it means. Terraform drops what it does
// not know of an object before a provider sees it (zclconf/go-cty,
// convert/conversion_object.go: attributes that the type lacks are left out),
// so a misspelled selector must not be read as "everybody".
func (v *validator) workloads(at where, from From) {
	if from.WorkloadSelector != nil || len(from.ServiceAccounts) > 0 {
		return
	}
	v.problems = append(v.problems, compile.Problem{
		Path: at, Summary: "Source without workloads", Topic: compile.MisspelledTopic,
		Detail: fmt.Sprintf("Neither workload_selector nor service_accounts says which workloads of namespace %q are meant. "+
			"To grant every workload of the namespace, say so: workload_selector = {}. "+
			"A misspelled name looks like none: Terraform drops names that it does not know inside of an object, without a word.", from.Namespace),
	})
}

// Spelled returns a policy in which every source says which workloads it means.
// Records of policies that were applied before that was asked for may lack it.
func Spelled(p Policy) Policy {
	p.EgressRules = slices.Clone(p.EgressRules)
	for i := range p.EgressRules {
		sources := slices.Clone(p.EgressRules[i].From)
		for j := range sources {
			if sources[j].WorkloadSelector == nil {
				sources[j].WorkloadSelector = map[string]string{}
			}
		}
		p.EgressRules[i].From = sources
	}
	return p
}

func (v *validator) accounts(at where, accounts []string) {
	seen := map[string]where{}
	for i, account := range accounts {
		v.syntax(at.at(i), "Invalid service account", account, validation.IsDNS1123Subdomain(account))
		v.unique(seen, at.at(i), "service account", account)
	}
	switch {
	case len(accounts) == 0:
	case v.direct():
		v.fail(at, "Service accounts without a gateway",
			"Only a gateway checks who calls. Leave service_accounts out, or set by_egress_gateway.")
	case !v.mutualTLS():
		v.fail(at, "Service accounts need mutual TLS",
			"Gateway %s/%s has mutual_tls = false: no caller has an identity there. Leave service_accounts out, or switch mutual TLS on.",
			v.policy.ByEgressGateway.Namespace, v.policy.ByEgressGateway.Name)
	}
}

func (v *validator) labels(at where, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		v.syntax(at.at(key), "Invalid label key", key, validation.IsQualifiedName(key))
		v.syntax(at.at(key), "Invalid label value", labels[key], validation.IsValidLabelValue(labels[key]))
	}
}

func (v *validator) revision(at where, revision *string) {
	if revision != nil {
		v.syntax(at, "Invalid revision", *revision, validation.IsValidLabelValue(*revision))
	}
}

// String writes a path as egress_rules[0].to[1].hosts.
func (w where) String() string {
	var out strings.Builder
	for _, step := range w {
		if index, ok := step.(int); ok {
			fmt.Fprintf(&out, "[%d]", index)
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('.')
		}
		fmt.Fprint(&out, step)
	}
	return out.String()
}
