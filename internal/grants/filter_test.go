package grants

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		pattern, host string
		want          bool
	}{
		{"a.example", "a.example", true},
		{"a.example", "A.Example", true},
		{"a.example", "b.a.example", false},
		{"*.example", "a.example", true},
		{"*.example", "b.a.example", true},
		{"*.b.example", "*.a.b.example", true},
		{"*.a.b.example", "*.b.example", false},
		{"*.example", "example", false},
		{"*.example", "anexample", false},
	} {
		if got := covers(tt.pattern, tt.host); got != tt.want {
			t.Errorf("covers(%q, %q) is %v", tt.pattern, tt.host, got)
		}
	}
}

// What hides grants is told whatever is asked for; other problems only with
// the grants that they are about.
func TestFilterKeepsProblems(t *testing.T) {
	grant := func(policyID, namespace string, gateway *policy.GatewayID) Grant {
		g := Grant{Policy: policyID}
		g.Namespace, g.Host, g.Gateway = namespace, "a.example", gateway
		return g
	}
	all := Audit{
		Grants: []Grant{
			grant("egress/one", "shop", &policy.GatewayID{Namespace: "egress", Name: "gw"}),
			grant("egress/two", "other", &policy.GatewayID{Namespace: "egress", Name: "gw"}),
			grant("shop/three", "shop", nil),
		},
		Problems: []Problem{{Policy: "egress/one"}, {Policy: "egress/two"}, {Policy: "egress/four", Hides: true}, {Policy: "egress/none"}},
	}
	for name, tt := range map[string]struct {
		filter           filter
		grants, problems int
	}{
		"nothing":                 {filter{}, 3, 4},
		"namespace":               {filter{namespaces: []string{"shop"}}, 2, 2},
		"no namespace":            {filter{namespaces: []string{"elsewhere"}}, 0, 1},
		"gateway":                 {filter{gateway: "gw"}, 2, 3},
		"gateway in a namespace":  {filter{gateway: "gw", gatewayNamespace: "egress"}, 2, 3},
		"gateway of another":      {filter{gateway: "gw", gatewayNamespace: "shop"}, 0, 1},
		"host":                    {filter{host: "*.example"}, 3, 3},
		"namespace and other way": {filter{namespaces: []string{"shop"}, gateway: "gw"}, 1, 2},
	} {
		left := tt.filter.apply(all)
		if len(left.Grants) != tt.grants || len(left.Problems) != tt.problems {
			t.Errorf("%s: %d grants, %d problems: %+v", name, len(left.Grants), len(left.Problems), left)
		}
	}
}

// The schema has what the answer has, with its types, for every kind of grant.
func TestAnswerMatchesSchema(t *testing.T) {
	var resp datasource.SchemaResponse
	NewDataSource().Schema(t.Context(), datasource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	full := Audit{
		Grants: []Grant{
			{Policy: "egress/one", OwnerID: "team", EntryGrant: policy.EntryGrant{Grant: policy.Grant{
				Namespace: "shop", WorkloadSelector: map[string]string{"app": "a"}, ServiceAccounts: []string{"a"}, UpgradedTo: 443,
				ResolveTo: "b.example", Gateway: &policy.GatewayID{Namespace: "egress", Name: "gw"},
			}}},
			{Policy: "shop/two", EntryGrant: policy.EntryGrant{Grant: policy.Grant{Addresses: []string{"203.0.113.7"}}}},
		},
		Problems: []Problem{{Policy: "egress/one", Object: "Service/egress/one-egw", Text: "gone"}, {Object: "ServiceEntry/shop/x", Hides: true}},
	}
	typ := resp.Schema.Type().TerraformType(t.Context()).(tftypes.Object)
	empty := map[string]tftypes.Value{}
	for name, attribute := range typ.AttributeTypes {
		empty[name] = tftypes.NewValue(attribute, nil)
	}
	state := tfsdk.State{Schema: resp.Schema, Raw: tftypes.NewValue(typ, empty)}
	if diags := (values.Attributes{"grants": full.grants(), "problems": full.problems()}).Put(t.Context(), &state.Raw); diags.HasError() {
		t.Fatal(diags)
	}
	if len(full.warnings()) != 1 {
		t.Errorf("warnings: %v", full.warnings())
	}
}
