package functions_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/meshegress/terraform-provider-istio/internal/functions"
)

// call runs a function as the framework does, without a provider server.
func call(t *testing.T, f function.Function, arguments ...attr.Value) (attr.Value, *function.FuncError) {
	t.Helper()
	definition := definitionOf(t, f)
	result, err := definition.Return.NewResultData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp := function.RunResponse{Result: result}
	f.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData(arguments)}, &resp)
	return resp.Result.Value(), resp.Error
}

func definitionOf(t *testing.T, f function.Function) function.Definition {
	t.Helper()
	var resp function.DefinitionResponse
	f.Definition(t.Context(), function.DefinitionRequest{}, &resp)
	if resp.Diagnostics.HasError() {
		t.Fatal(resp.Diagnostics)
	}
	return resp.Definition
}

func nameOf(f function.Function) string {
	var resp function.MetadataResponse
	f.Metadata(context.Background(), function.MetadataRequest{}, &resp)
	return resp.Name
}

func TestDefinitions(t *testing.T) {
	for _, make := range functions.All() {
		f := make()
		definition := definitionOf(t, f)
		var resp function.DefinitionValidateResponse
		definition.ValidateImplementation(t.Context(), function.DefinitionValidateRequest{FuncName: nameOf(f)}, &resp)
		if resp.Diagnostics.HasError() {
			t.Error(resp.Diagnostics)
		}
		if definition.Summary == "" || definition.MarkdownDescription == "" {
			t.Errorf("%s is not described", nameOf(f))
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// contains fails the test unless every text stands in the error.
func contains(t *testing.T, err *function.FuncError, wanted ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", wanted)
	}
	for _, text := range wanted {
		if !strings.Contains(err.Text, text) {
			t.Errorf("the error should contain %q:\n%s", text, err.Text)
		}
	}
}
