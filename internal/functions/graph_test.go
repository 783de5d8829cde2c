package functions_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/functions"
)

const grantLine = "mytest/app=a (sa a) -> *.example.com:443 TLS, resolved to www.example.com, via istio-egress/gw"

func tuple(values ...attr.Value) attr.Value {
	all := make([]attr.Type, len(values))
	for i, value := range values {
		all[i] = value.Type(nil) //nolint:staticcheck // the types of values need no context
	}
	return types.DynamicValue(types.TupleValueMust(all, values))
}

func grantObject(intact bool) attr.Value {
	return types.ObjectValueMust(
		map[string]attr.Type{"grant": types.StringType, "intact": types.BoolType, "port": types.Int64Type},
		map[string]attr.Value{"grant": types.StringValue(grantLine), "intact": types.BoolValue(intact), "port": types.Int64Value(443)})
}

// Lines in a set, lines in a list, and objects of the data source have one picture.
func TestEgressGraphTakesLinesAndObjects(t *testing.T) {
	draw := func(grants attr.Value, format string) string {
		t.Helper()
		result, err := call(t, functions.NewEgressGraph(), grants, types.StringValue(format))
		if err != nil {
			t.Fatal(err)
		}
		return result.(types.String).ValueString()
	}
	line := types.StringValue(grantLine)
	want := draw(types.DynamicValue(types.SetValueMust(types.StringType, []attr.Value{line})), "mermaid")
	if !strings.HasPrefix(want, "flowchart LR\n") || !strings.Contains(want, `#42;.example.com:443 TLS`) {
		t.Error(want)
	}
	for _, grants := range []attr.Value{
		types.DynamicValue(types.ListValueMust(types.StringType, []attr.Value{line})), tuple(line), tuple(types.DynamicValue(line)), tuple(grantObject(true)), tuple(grantObject(true), line),
	} {
		if got := draw(grants, "mermaid"); got != want {
			t.Error(got)
		}
	}
	if got := draw(tuple(grantObject(false)), "dot"); !strings.HasPrefix(got, "digraph") || !strings.Contains(got, "changed in the cluster") {
		t.Error(got)
	}
}

func TestEgressGraphErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		grants attr.Value
		want   string
	}{
		"no list":       {types.DynamicValue(types.StringValue(grantLine)), "A list or set of grants is expected here"},
		"no line":       {tuple(types.StringValue(grantLine), types.StringValue("everybody")), `grants[1]: Not a grant: "everybody" is not a line of`},
		"a number":      {tuple(types.Int64Value(1)), "grants[0]: Not a grant: a line is expected here"},
		"null":          {tuple(types.StringNull()), "grants[0]: Not a grant: a line is expected here"},
		"other objects": {tuple(types.ObjectValueMust(map[string]attr.Type{}, map[string]attr.Value{})), "has the attribute grant"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, functions.NewEgressGraph(), tt.grants, types.StringValue("mermaid"))
			contains(t, err, tt.want)
		})
	}
}
