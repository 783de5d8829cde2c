package functions_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/functions"
	"github.com/meshegress/terraform-provider-istio/internal/gateway"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

var converters = map[string]function.Function{
	"asm-": functions.NewASMEgressTrafficPolicy(),
	"smm-": functions.NewSMMMeshGateway(),
}

// TestConverters calls the functions with every custom resource that package
// convert is tested with.
func TestConverters(t *testing.T) {
	paths, err := filepath.Glob("../convert/testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no custom resources: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".in.yaml")
		t.Run(name, func(t *testing.T) {
			got, funcErr := call(t, converters[name[:4]], types.StringValue(read(t, path)))
			if refused, _ := filepath.Glob("../convert/testdata/" + name + ".problems.txt"); len(refused) > 0 {
				contains(t, funcErr, "(line ")
				if funcErr.FunctionArgument == nil || *funcErr.FunctionArgument != 0 {
					t.Error("the error is not about the argument")
				}
				return
			}
			if funcErr != nil {
				t.Fatal(funcErr)
			}
			object := got.(types.Object).Attributes()
			if object["name"].IsNull() || object["name"].IsUnknown() {
				t.Error("no name")
			}
		})
	}
}

// TestResultsHaveTheAttributesOfTheResources holds the types of results to the
// schemas: what a configuration can set, but timeouts.
func TestResultsHaveTheAttributesOfTheResources(t *testing.T) {
	for _, tt := range []struct {
		f function.Function
		r resource.Resource
	}{{functions.NewASMEgressTrafficPolicy(), trafficpolicy.New()}, {functions.NewSMMMeshGateway(), gateway.New()}} {
		var schema resource.SchemaResponse
		tt.r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
		got := definitionOf(t, tt.f).Return.GetType().(attr.TypeWithAttributeTypes).AttributeTypes()
		for name, attribute := range schema.Schema.Attributes {
			typ, returned := got[name]
			delete(got, name)
			if want := (attribute.IsOptional() || attribute.IsRequired()) && name != "timeouts"; returned != want {
				t.Errorf("%s: %s is in the result: %t, want %t", nameOf(tt.f), name, returned, want)
			} else if returned && !typ.Equal(attribute.GetType()) {
				t.Errorf("%s: %s has another type", nameOf(tt.f), name)
			}
		}
		for name := range got {
			t.Errorf("%s: the resource has no %s", nameOf(tt.f), name)
		}
	}
}

// What the custom resource does not say is null.
func TestWhatIsNotSaidIsNull(t *testing.T) {
	got, err := call(t, functions.NewASMEgressTrafficPolicy(), types.StringValue(read(t, "../convert/testdata/asm-3-assigned-ports.in.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	to := got.(types.Object).Attributes()["egress_rules"].(types.List).Elements()[0].(types.Object).Attributes()["to"].(types.List).Elements()[0].(types.Object)
	for _, name := range []string{"by_egress_gateway", "https_upgrade", "addresses", "tls", "timeout", "retries", "resolve_to"} {
		if !to.Attributes()[name].IsNull() {
			t.Errorf("%s is %s", name, to.Attributes()[name])
		}
	}
}
