package workload

import (
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// What the attributes of this name may say: the values of the Kubernetes API.
var (
	ServiceTypes          = []string{"ClusterIP", "NodePort", "LoadBalancer"}
	TrafficPolicies       = []string{"Cluster", "Local"}
	SessionAffinities     = []string{"None", "ClientIP"}
	IPFamilies            = []string{"IPv4", "IPv6"}
	IPFamilyPolicies      = []string{"SingleStack", "PreferDualStack", "RequireDualStack"}
	Transports            = []string{"TCP", "UDP"}
	TolerationOperators   = []string{"Equal", "Exists"}
	TaintEffects          = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}
	LabelOperators        = []string{"In", "NotIn", "Exists", "DoesNotExist"}
	NodeOperators         = append(slices.Clone(LabelOperators), "Gt", "Lt")
	FieldOperators        = []string{"In", "NotIn"}
	SpreadActions         = []string{"DoNotSchedule", "ScheduleAnyway"}
	NodeInclusionPolicies = []string{"Honor", "Ignore"}
	DNSPolicies           = []string{"ClusterFirst", "ClusterFirstWithHostNet", "Default"}
	ProbeSchemes          = []string{"HTTP", "HTTPS"}
	Authorizations        = []string{string(compile.AuthorizationAllowListed), string(compile.AuthorizationNone)}
)

// CheckOneOf returns the check of an enumeration.
func CheckOneOf(allowed []string) func(string) *compile.Problem {
	return func(value string) *compile.Problem {
		if !slices.Contains(allowed, value) {
			return problem("Unknown value", "%q is none of %q.", value, allowed)
		}
		return nil
	}
}
