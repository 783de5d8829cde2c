package workload

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// MaxNameLength leaves room for the names that are made of a gateway's:
// `<gateway>-<port>`, `<gateway>-from-<namespace>` and the DNS labels of the
// mesh SNI.
const MaxNameLength = 32

// Validate returns everything that is wrong with the intent: what the API
// server, istiod or Envoy would refuse, and what they would silently drop.
func Validate(g Gateway, mesh compile.Mesh) []compile.Problem {
	v := &validator{}
	v.identity(g, mesh)
	v.metadata(g)
	v.ports(g)
	v.service(g)
	v.scaling(g)
	v.resources(g.Resources)
	v.scheduling(g)
	v.pod(g)
	v.disruptionBudget(g.PodDisruptionBudget)
	v.authorization(g)
	return v.problems
}

// validator collects problems.
type validator struct{ problems []compile.Problem }

// at is the path of an attribute.
type at []any

// in returns the path of something below, without sharing memory with others.
func (p at) in(steps ...any) at { return append(p[:len(p):len(p)], steps...) }

// add records a problem.
func (v *validator) add(path at, summary, format string, args ...any) {
	v.problems = append(v.problems, compile.Problem{Path: path, Summary: summary, Detail: fmt.Sprintf(format, args...)})
}

// check records what one of the Check functions says of a value.
func (v *validator) check(path at, p *compile.Problem) {
	if p != nil {
		v.add(path, p.Summary, "%s", p.Detail)
	}
}

func (v *validator) identity(g Gateway, mesh compile.Mesh) {
	v.check(at{"name"}, CheckName(g.Name))
	v.check(at{"namespace"}, CheckNamespace(g.Namespace))
	if g.Namespace != "" && g.Namespace == mesh.RootNamespace {
		v.add(at{"namespace"}, "Gateway in the root namespace",
			"%q is Istio's root namespace (the provider's istio_namespace): Sidecar, Telemetry and AuthorizationPolicy objects there act on the whole mesh. Put the gateway into a namespace of its own.", g.Namespace)
	}
	if g.Revision != nil {
		v.check(at{"revision"}, CheckRevision(*g.Revision))
	}
}

func (v *validator) metadata(g Gateway) {
	v.check(at{"labels"}, CheckLabels(g.Labels))
	v.check(at{"annotations"}, CheckAnnotations(g.Annotations))
}

func (v *validator) authorization(g Gateway) {
	v.check(at{"authorization"}, CheckOneOf(Authorizations)(g.Authorization))
	if compile.Authorization(g.Authorization) == compile.AuthorizationAllowListed && !g.MutualTLS {
		v.add(at{"authorization"}, "Authorization needs mutual TLS",
			"authorization = %q checks who calls by the certificate that mutual TLS brings, and mutual_tls is false: no call could be admitted. Set mutual_tls = true, or say authorization = %q to leave the gateway open to every caller that reaches it.",
			compile.AuthorizationAllowListed, compile.AuthorizationNone)
	}
}

// CheckName says what is wrong with the name of a gateway, nil if nothing.
// A Service is named after it, hence the DNS-1035 label.
func CheckName(name string) *compile.Problem {
	if len(name) > MaxNameLength {
		return problem("Name too long", "%q has %d characters, the name of a gateway at most %d: names of other objects are made of it.", name, len(name), MaxNameLength)
	}
	return first("Invalid name", name, validation.IsDNS1035Label(name))
}

// CheckNamespace says what is wrong with the name of a namespace.
func CheckNamespace(name string) *compile.Problem {
	return first("Invalid namespace", name, validation.IsDNS1123Label(name))
}

// CheckRevision says what is wrong with a control plane revision.
func CheckRevision(revision string) *compile.Problem {
	if revision == "" {
		return problem("Empty revision", "Leave the attribute out to use the provider's revision, or none.")
	}
	return first("Invalid revision", revision, validation.IsValidLabelValue(revision))
}

// problem returns a problem without a path.
func problem(summary, format string, args ...any) *compile.Problem {
	return &compile.Problem{Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// first turns what apimachinery says of a value into a problem.
func first(summary, value string, errors []string) *compile.Problem {
	if len(errors) == 0 {
		return nil
	}
	return problem(summary, "%q: %s.", value, strings.Join(errors, "; "))
}
