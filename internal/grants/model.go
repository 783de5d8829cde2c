package grants

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// config is what narrows the answer.
type config struct {
	Namespaces []string `tfsdk:"namespaces"`
	Gateway    *gateway `tfsdk:"gateway"`
	Host       *string  `tfsdk:"host"`
}

type gateway struct {
	Name      string  `tfsdk:"name"`
	Namespace *string `tfsdk:"namespace"`
}

func (c config) filter() filter {
	f := filter{namespaces: c.Namespaces}
	if c.Gateway != nil {
		f.gateway = c.Gateway.Name
		f.gatewayNamespace = orEmpty(c.Gateway.Namespace)
	}
	f.host = orEmpty(c.Host)
	return f
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// grantType and problemType are the elements of `grants` and `problems`.
var (
	grantType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"grant": types.StringType, "intact": types.BoolType,
		"policy_namespace": types.StringType, "policy_name": types.StringType, "entry": types.StringType, "owner_id": types.StringType,
		"namespace": types.StringType, "workload_selector": types.MapType{ElemType: types.StringType},
		"service_accounts": types.ListType{ElemType: types.StringType}, "namespace_checked": types.BoolType,
		"host": types.StringType, "port": types.Int64Type, "protocol": types.StringType, "addresses": types.ListType{ElemType: types.StringType},
		"resolve_to": types.StringType, "upgraded_to": types.Int64Type, "certificate_checked": types.BoolType,
		"way": types.StringType, "gateway_namespace": types.StringType, "gateway_name": types.StringType,
	}}
	problemType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"policy_namespace": types.StringType, "policy_name": types.StringType,
		"object": types.StringType, "problem": types.StringType, "hides_grants": types.BoolType,
	}}
)

// Values of `way`.
const (
	wayGateway = "gateway"
	wayDirect  = "direct"
)

func (a Audit) grants() types.List {
	elements := make([]attr.Value, len(a.Grants))
	for i, g := range a.Grants {
		elements[i] = g.value()
	}
	return types.ListValueMust(grantType, elements)
}

func (g Grant) value() attr.Value {
	namespace, name := splitID(g.Policy)
	checked, verified, upgraded := types.BoolNull(), types.BoolNull(), types.Int64Null()
	way, via := wayDirect, policy.GatewayID{}
	if g.Gateway != nil {
		way, via, checked = wayGateway, *g.Gateway, types.BoolValue(g.NamespaceChecked)
	}
	if g.UpgradedTo != 0 {
		upgraded, verified = types.Int64Value(g.UpgradedTo), types.BoolValue(!g.Unverified)
	}
	return types.ObjectValueMust(grantType.AttrTypes, map[string]attr.Value{
		"grant": types.StringValue(g.Line), "intact": types.BoolValue(g.Intact),
		"policy_namespace": namespace, "policy_name": name, "entry": types.StringValue(g.Entry), "owner_id": values.TextOrNull(g.OwnerID),
		"namespace": types.StringValue(g.Namespace), "workload_selector": labels(g.WorkloadSelector),
		"service_accounts": texts(g.ServiceAccounts), "namespace_checked": checked,
		"host": types.StringValue(g.Host), "port": types.Int64Value(g.Port), "protocol": types.StringValue(g.Protocol), "addresses": texts(g.Addresses),
		"resolve_to": values.TextOrNull(g.ResolveTo), "upgraded_to": upgraded, "certificate_checked": verified,
		"way": types.StringValue(way), "gateway_namespace": values.TextOrNull(via.Namespace), "gateway_name": values.TextOrNull(via.Name),
	})
}

func (a Audit) problems() types.List {
	elements := make([]attr.Value, len(a.Problems))
	for i, p := range a.Problems {
		namespace, name := splitID(p.Policy)
		elements[i] = types.ObjectValueMust(problemType.AttrTypes, map[string]attr.Value{
			"policy_namespace": namespace, "policy_name": name,
			"object": types.StringValue(p.Object), "problem": types.StringValue(p.Text), "hides_grants": types.BoolValue(p.Hides),
		})
	}
	return types.ListValueMust(problemType, elements)
}

// splitID returns namespace and name of an import id, null for an empty one.
func splitID(id string) (namespace, name types.String) {
	first, second, _ := strings.Cut(id, "/")
	return values.TextOrNull(first), values.TextOrNull(second)
}

// labels is null for no labels: all workloads of the namespace.
func labels(selector map[string]string) types.Map {
	if len(selector) == 0 {
		return types.MapNull(types.StringType)
	}
	return values.Map(selector)
}

// texts is null for an empty list.
func texts(all []string) types.List {
	if len(all) == 0 {
		return types.ListNull(types.StringType)
	}
	elements := make([]attr.Value, len(all))
	for i, text := range all {
		elements[i] = types.StringValue(text)
	}
	return types.ListValueMust(types.StringType, elements)
}
