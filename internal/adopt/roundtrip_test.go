package adopt_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/adopt"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// TestCompiledPoliciesAreReadBack compiles random policies, takes the
// provider's marks off the objects, and adopts them as if somebody had written
// them by hand: the policies that come out grant what went in, and nothing is
// left out.
func TestCompiledPoliciesAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policytest.Policy(t)
		if text := strings.Join(policy.Grants(p), " "); p.ByEgressGateway == nil && (strings.Contains(text, "203.0.113.7") || strings.Contains(text, "2001:db8::7")) {
			t.Skip("the name that a direct policy gives to an address is the provider's own")
		}
		nodes := compiled(t, p)
		result := adopt.Adopt(nodes, adopt.Options{
			GatewayNamespace: "new-gateways", RootNamespace: policytest.Mesh.RootNamespace, TrustDomain: policytest.Mesh.TrustDomain,
		})
		want, got := grants(together(p)), []string{}
		for _, adopted := range result.Policies {
			got = append(got, grants(adopted.Intent)...)
		}
		slices.Sort(got)
		got = slices.Compact(got)
		if diff := cmp.Diff(want, got); diff != "" || result.LeftOut() {
			t.Errorf("grants (-written +read back):\n%s", diff)
			for _, finding := range result.Findings {
				t.Logf("%s: %s", finding.Effect, finding)
			}
		}
	})
}

// addresses are those at which a host is called directly.
var addresses = regexp.MustCompile(` at .*, direct$`)

// compiled returns the objects of a policy as somebody's own.
func compiled(t *rapid.T, p policy.Policy) []*yaml.Node {
	slots := policy.Slots(p)
	assigned, _ := ports.Keep(nil, slots)
	next := int64(20000)
	for _, slot := range ports.Missing(assigned, slots) {
		next--
		slot.Set(assigned, next)
	}
	objects, err := policy.Objects(p, policytest.Mesh, assigned)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*yaml.Node
	for _, object := range objects {
		body := object.Body.DeepCopy()
		body.SetLabels(nil)
		body.SetAnnotations(nil)
		text, err := json.Marshal(body.Object)
		if err != nil {
			t.Fatal(err)
		}
		var node yaml.Node
		if err := yaml.Unmarshal(text, &node); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, node.Content[0])
	}
	return nodes
}

// grants are those of a policy without the gateway's name.
func grants(p policy.Policy) []string {
	all := policy.Grants(p)
	for i, grant := range all {
		grant, _, _ = strings.Cut(grant, ", via ")
		// Two entries may name a host and port, and one of them its addresses.
		grant = addresses.ReplaceAllString(grant, ", direct")
		// A gateway of the provider checks it, whatever the old one did.
		all[i] = strings.Replace(grant, ", namespace not checked", "", 1)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(grant string) bool {
		// Where a rule selects all workloads, nobody goes directly.
		who, where, _ := strings.Cut(grant, " -> ")
		where, direct := strings.CutSuffix(where, ", direct")
		return direct && slices.ContainsFunc(all, func(other string) bool {
			selected, to, _ := strings.Cut(other, " -> ")
			return strings.HasPrefix(selected, who+" (") && strings.HasPrefix(to, where)
		})
	})
}

// together gives all sources of a rule in a namespace their service accounts
// together: that is what the gateway checks.
func together(p policy.Policy) policy.Policy {
	p.EgressRules = slices.Clone(p.EgressRules)
	for i, rule := range p.EgressRules {
		accounts := map[string][]string{}
		for _, from := range rule.From {
			accounts[from.Namespace] = append(accounts[from.Namespace], from.ServiceAccounts...)
		}
		p.EgressRules[i].From = slices.Clone(rule.From)
		for j, from := range rule.From {
			p.EgressRules[i].From[j].ServiceAccounts = accounts[from.Namespace]
		}
	}
	return p
}
