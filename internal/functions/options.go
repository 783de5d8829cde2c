package functions

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// options are what egress_manifests needs besides the policy: what the provider
// block would say, and what a plan would know of the gateway.
type options struct {
	ByEgressGateway    *compile.Reference `json:"by_egress_gateway"`
	IstioNamespace     string             `json:"istio_namespace"`
	TrustDomain        string             `json:"trust_domain"`
	TrustDomainAliases []string           `json:"trust_domain_aliases"`
	ClusterDomain      string             `json:"cluster_domain"`
	Revision           string             `json:"revision"`
	FirstPort          int64              `json:"first_port"`
	GatewayPorts       map[string]int64   `json:"gateway_ports"`
}

// optionsText describes the options on the registry page, where it stands in a
// numbered list; a test holds it to optionAttributes.
const optionsText = "An object, `{}` for none. Each attribute is optional:\n\n" +
	"   - `by_egress_gateway`: a gateway in place of the policy's own, also for a policy that has none.\n" +
	"   - `istio_namespace`, `trust_domain`, `trust_domain_aliases`, `cluster_domain`, `revision`: as in the provider block, with the same defaults.\n" +
	"   - `gateway_ports`: ports by `<entry>` or `<entry>/<host>`, as the resource shows them.\n" +
	"   - `first_port`: number the ports that nothing else gives from here on, in the order of their keys."

func optionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"by_egress_gateway":    policyAttributes()["by_egress_gateway"],
		"istio_namespace":      schema.StringAttribute{Optional: true, Default: stringdefault.StaticString(settings.DefaultRootNamespace)},
		"trust_domain":         schema.StringAttribute{Optional: true, Default: stringdefault.StaticString(settings.DefaultTrustDomain)},
		"trust_domain_aliases": schema.ListAttribute{Optional: true, ElementType: types.StringType},
		"cluster_domain":       schema.StringAttribute{Optional: true, Default: stringdefault.StaticString(settings.DefaultClusterDomain)},
		"revision":             schema.StringAttribute{Optional: true},
		"first_port":           schema.Int64Attribute{Optional: true},
		"gateway_ports":        schema.MapAttribute{Optional: true, ElementType: types.Int64Type},
	}
}

func (o options) mesh() compile.Mesh {
	return compile.Mesh{
		RootNamespace:      o.IstioNamespace,
		TrustDomain:        o.TrustDomain,
		TrustDomainAliases: o.TrustDomainAliases,
		ClusterDomain:      o.ClusterDomain,
		Revision:           o.Revision,
	}
}

// validate returns what is wrong with the options by themselves. Their gateway
// is checked as part of the policy.
func (o options) validate() []compile.Problem {
	var problems []compile.Problem
	check := func(at []any, found *compile.Problem) {
		if found != nil {
			found.Path = at
			problems = append(problems, *found)
		}
	}
	check([]any{"istio_namespace"}, workload.CheckNamespace(o.IstioNamespace))
	check([]any{"trust_domain"}, domain(o.TrustDomain))
	check([]any{"cluster_domain"}, domain(o.ClusterDomain))
	for i, alias := range o.TrustDomainAliases {
		check([]any{"trust_domain_aliases", i}, domain(alias))
	}
	if o.Revision != "" {
		check([]any{"revision"}, workload.CheckRevision(o.Revision))
	}
	return problems
}

func domain(name string) *compile.Problem {
	if found := validation.IsDNS1123Subdomain(name); len(found) > 0 {
		return &compile.Problem{Summary: "Invalid domain", Detail: found[0] + "."}
	}
	return nil
}

// owns reports whether a problem of the policy is about what the options say:
// the gateway, where it comes from there.
func (o options) owns(problem compile.Problem) bool {
	return o.ByEgressGateway != nil && len(problem.Path) > 0 && problem.Path[0] == "by_egress_gateway"
}

// apply puts the gateway of the options into a policy.
func (o options) apply(p policy.Policy) policy.Policy {
	if o.ByEgressGateway != nil {
		p.ByEgressGateway = o.ByEgressGateway
	}
	return p
}
