package provider

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
)

func blockSchema(t *testing.T) schema.Schema {
	t.Helper()
	var resp provider.SchemaResponse
	(&Provider{}).Schema(context.Background(), provider.SchemaRequest{}, &resp)
	return resp.Schema
}

// tags returns the sorted tfsdk names of a struct.
func tags(model any) []string {
	var names []string
	of := reflect.TypeOf(model)
	for i := range of.NumField() {
		names = append(names, of.Field(i).Tag.Get("tfsdk"))
	}
	slices.Sort(names)
	return names
}

func TestModelParity(t *testing.T) {
	s := blockSchema(t)
	var names, nested []string
	for name := range s.Attributes {
		names = append(names, name)
	}
	for name := range s.Blocks {
		names = append(names, name)
	}
	for name := range s.Blocks["exec"].(schema.ListNestedBlock).NestedObject.Attributes {
		nested = append(nested, name)
	}
	slices.Sort(names)
	slices.Sort(nested)
	if diff := cmp.Diff(names, tags(Model{})); diff != "" {
		t.Errorf("provider block: %s", diff)
	}
	if diff := cmp.Diff(nested, tags(execModel{})); diff != "" {
		t.Errorf("exec: %s", diff)
	}

	// Every attribute is either needed for a call or for the objects, so that
	// its being unknown is noticed.
	ctx := context.Background()
	both := append(unknownModel().unknownConnection(ctx), unknownModel().unknownMesh(ctx)...)
	slices.Sort(both)
	if diff := cmp.Diff(names, both); diff != "" {
		t.Errorf("unknown values: %s", diff)
	}
}

// The documentation says exactly the variables that are read.
func TestVariablesAreDocumented(t *testing.T) {
	documented := map[string]string{}
	said := regexp.MustCompile("Can be set with `(KUBE_[A-Z_]+)`")
	for name, attribute := range blockSchema(t).Attributes {
		if found := said.FindStringSubmatch(attribute.GetMarkdownDescription()); found != nil {
			documented[name] = found[1]
		}
	}
	if diff := cmp.Diff(variables, documented); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreSensitive(t *testing.T) {
	s := blockSchema(t)
	for _, name := range []string{"token", "client_key", "proxy_url"} {
		if !s.Attributes[name].IsSensitive() {
			t.Errorf("%s is not sensitive", name)
		}
	}
	if !s.Blocks["exec"].(schema.ListNestedBlock).NestedObject.Attributes["env"].IsSensitive() {
		t.Error("exec.env is not sensitive")
	}
}
