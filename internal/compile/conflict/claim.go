package conflict

import (
	"fmt"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Service is a host and port as the workloads of a namespace see it.
type Service struct {
	Namespace, Host string
	Port            int64
}

// Claim is what a policy asks for: a service for the workloads with some
// labels.
type Claim struct {
	Service
	Labels map[string]string
	// At is the attribute, in the form of compile.Problem.
	At []any
}

// Claims returns what a policy asks for. A direct policy claims nothing: it
// routes nobody.
func Claims(p policy.Policy) []Claim {
	if p.ByEgressGateway == nil {
		return nil
	}
	var claims []Claim
	for _, f := range flowsOf(p) {
		claims = append(claims, Claim{Service: Service{f.namespace, f.host, f.port}, Labels: f.labels, At: f.at})
	}
	return claims
}

// Meets reports whether some workload is in both claims.
func (c Claim) Meets(other Claim) bool {
	return c.Service == other.Service && mayMatch(c.Labels, other.Labels)
}

// Planned is the problem of two policies that the same run wants to have
// overlapping sources. other names the other policy.
func (c Claim) Planned(other string) compile.Problem {
	f := flow{namespace: c.Namespace, labels: c.Labels, host: c.Host, port: c.Port}
	return compile.Problem{
		Path: c.At, Summary: "Two policies of this run claim the same calls",
		Detail: fmt.Sprintf("Calls of %s to %s are routed by %s too, as this run plans it. Istio would use one of the two routes and drop the other. "+
			"Take the host out of one policy, or give their sources labels that no workload has in common.", f.workloads(), f, other),
	}
}
