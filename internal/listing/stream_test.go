package listing

import (
	"context"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

type identity struct {
	Name string `tfsdk:"name"`
}

// asked is a request for a resource that has a name.
func asked(limit int64, whole bool) list.ListRequest {
	return list.ListRequest{
		Config:                 tfsdk.Config{Schema: listschema.Schema{}, Raw: tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{})},
		ResourceSchema:         schema.Schema{Attributes: map[string]schema.Attribute{"name": schema.StringAttribute{Required: true}}},
		ResourceIdentitySchema: identityschema.Schema{Attributes: map[string]identityschema.Attribute{"name": identityschema.StringAttribute{RequiredForImport: true}}},
		Limit:                  limit, IncludeResource: whole,
	}
}

// answer lists b, a, d, c, a again, and gone, which has gone when it is read. It
// returns the display names until stop, and which instances were read.
func answer(t *testing.T, req list.ListRequest, stop string) (shown, read []string, warned bool) {
	t.Helper()
	find := func(context.Context, *cluster.Client, struct{}) ([]Instance, diag.Diagnostics) {
		var all []Instance
		for _, name := range []string{"b", "a", "d", "c", "a", "bb-gone"} {
			all = append(all, Instance{ImportID: name, DisplayName: name, Identity: identity{name}, Fill: func(ctx context.Context, state *tfsdk.State) diag.Diagnostics {
				read = append(read, name)
				if name == "bb-gone" {
					return nil
				}
				return state.SetAttribute(ctx, path.Root("name"), name)
			}})
		}
		return all, LeftOut(diag.Diagnostics{diag.NewErrorDiagnostic("x cannot be read", "")})
	}
	provider := &settings.Provider{MeshKnown: true, Connect: func() (*cluster.Client, error) { return nil, nil }}
	stream := &list.ListResultsStream{}
	Answer(t.Context(), provider, req, stream, find)
	for result := range stream.Results {
		if result.Diagnostics.HasError() {
			t.Fatal(result.Diagnostics)
		}
		if result.Identity == nil {
			warned = len(result.Diagnostics) == 1 && len(shown) == 0
			continue
		}
		shown = append(shown, result.DisplayName)
		if result.DisplayName == stop {
			break
		}
	}
	return shown, read, warned
}

func TestAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		req         list.ListRequest
		stop        string
		shown, read []string
	}{
		"all":                      {req: asked(0, false), shown: []string{"a", "b", "bb-gone", "c", "d"}},
		"whole":                    {req: asked(100, true), shown: []string{"a", "b", "c", "d"}, read: []string{"a", "b", "bb-gone", "c", "d"}},
		"what has gone is nothing": {req: asked(3, true), shown: []string{"a", "b", "c"}, read: []string{"a", "b", "bb-gone", "c"}},
		"a limit":                  {req: asked(2, true), shown: []string{"a", "b"}, read: []string{"a", "b"}},
		"nobody listens any more":  {req: asked(0, true), stop: "a", shown: []string{"a"}, read: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			shown, read, warned := answer(t, c.req, c.stop)
			if !slices.Equal(shown, c.shown) || !slices.Equal(read, c.read) || !warned {
				t.Errorf("shown %v, read %v, warned first: %t; want %v and %v", shown, read, warned, c.shown, c.read)
			}
		})
	}
}

// A query has no later step in which the provider block would be known.
func TestAnswerWithoutTheMesh(t *testing.T) {
	stream := &list.ListResultsStream{}
	Answer(t.Context(), &settings.Provider{}, asked(0, false), stream, func(context.Context, *cluster.Client, struct{}) ([]Instance, diag.Diagnostics) {
		t.Error("the cluster was asked")
		return nil, nil
	})
	for result := range stream.Results {
		if !result.Diagnostics.HasError() {
			t.Error("no error")
		}
	}
}
