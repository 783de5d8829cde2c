package trafficpolicy

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// A configuration that is partly unknown is checked all the same: what is
// unknown gets a stand-in that breaks no rule, and problems at a stand-in do
// not count.

// guess is the path of an element that a stand-in stands for, in the form of
// compile.Problem.
type guess []any

// knownPart decodes the known part of a configuration that has defaults in it.
func knownPart(ctx context.Context, config tfsdk.Config) (policy.Policy, []guess) {
	k := &partial{ctx: ctx, config: config}
	p := policy.Policy{Name: "unknown", UnselectedWorkloads: policy.Deny}
	k.take(&p.Name, "name")
	k.take(&p.UnselectedWorkloads, "unselected_workloads")
	k.take(&p.Revision, "revision")
	if !k.take(&p.ByEgressGateway, "by_egress_gateway") {
		p.ByEgressGateway = &compile.Reference{Name: "unknown-gateway", Namespace: "unknown-gateway-namespace"}
	}
	for i := range k.length("egress_rules") {
		p.EgressRules = append(p.EgressRules, k.rule(i))
	}
	return p, k.guessed
}

// provable drops the problems that may be due to a stand-in.
func provable(problems []compile.Problem, guessed []guess) []compile.Problem {
	var proven []compile.Problem
	for _, problem := range problems {
		if !slices.ContainsFunc(guessed, func(g guess) bool { return g.covers(problem.Path) }) {
			proven = append(proven, problem)
		}
	}
	return proven
}

// covers reports whether a path leads to or into the stand-in.
func (g guess) covers(problem []any) bool {
	return len(problem) >= len(g) && slices.Equal(problem[:len(g)], g)
}

// partial decodes a configuration piece by piece.
type partial struct {
	ctx     context.Context
	config  tfsdk.Config
	guessed []guess
}

func (k *partial) rule(i int) policy.Rule {
	var rule policy.Rule
	k.take(&rule.Name, "egress_rules", i, "name")
	for j := range k.length("egress_rules", i, "from") {
		var from policy.From
		if !k.take(&from, "egress_rules", i, "from", j) {
			from = policy.From{Namespace: fmt.Sprintf("unknown-namespace-%d-%d", i, j), WorkloadSelector: map[string]string{}}
		}
		rule.From = append(rule.From, from)
	}
	for j := range k.length("egress_rules", i, "to") {
		var to policy.To
		if !k.take(&to, "egress_rules", i, "to", j) {
			to = policy.To{
				Name:  fmt.Sprintf("unknown-entry-%d-%d", i, j),
				Hosts: []string{fmt.Sprintf("unknown-%d-%d.invalid", i, j)},
				Port:  policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS},
			}
		}
		rule.To = append(rule.To, to)
	}
	k.agree(i, rule.From)
	return rule
}

// agree lets sources that are stand-ins name a service account if a known one
// does: either all sources of a rule name some, or none.
func (k *partial) agree(i int, sources []policy.From) {
	named := slices.ContainsFunc(sources, func(from policy.From) bool { return len(from.ServiceAccounts) > 0 })
	for j := range sources {
		at := []any{"egress_rules", i, "from", j}
		if named && slices.ContainsFunc(k.guessed, func(g guess) bool { return slices.Equal(g, at) }) {
			sources[j].ServiceAccounts = []string{"unknown"}
		}
	}
}

// take decodes the value at a path if it is wholly known, and records a
// stand-in otherwise.
func (k *partial) take(target any, at ...any) bool {
	value, ok := k.value(at)
	if ok && fullyKnown(k.ctx, value) {
		diags := k.config.GetAttribute(k.ctx, diagnose.Path(at), target)
		if !diags.HasError() {
			return true
		}
		// A value that the intent has no place for, such as a null in a list:
		// the schema's own validators say so.
	}
	k.guessed = append(k.guessed, guess(at))
	return false
}

// length returns the number of elements of a list. One that is unknown, or
// stands in something unknown, gets one element, a stand-in.
func (k *partial) length(at ...any) int {
	value, ok := k.value(at)
	list, isList := value.(types.List)
	if !ok || !isList || list.IsUnknown() || list.IsNull() {
		return 1
	}
	return len(list.Elements())
}

func (k *partial) value(at []any) (attr.Value, bool) {
	var value attr.Value
	var diags diag.Diagnostics
	diags.Append(k.config.GetAttribute(k.ctx, diagnose.Path(at), &value)...)
	return value, !diags.HasError() && value != nil
}

func fullyKnown(ctx context.Context, value attr.Value) bool {
	raw, err := value.ToTerraformValue(ctx)
	return err == nil && raw.IsFullyKnown()
}
