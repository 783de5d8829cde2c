package outboundpolicy

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// server speaks the plugin protocol with the resource, as core does.
type server struct{ protocoltest.Server }

func newServer(t *testing.T, revision string) server {
	t.Helper()
	return server{protocoltest.New(t, New, func() *settings.Provider {
		return &settings.Provider{Mesh: compile.Mesh{RootNamespace: "istio-system", Revision: revision}, MeshKnown: true}
	})}
}

// value is a configuration or a state; what is not given is null.
func (s server) value(attributes map[string]any) tftypes.Value {
	all := map[string]tftypes.Value{}
	for name, typ := range s.Type.AttributeTypes {
		given, ok := attributes[name]
		labels, isMap := given.(map[string]string)
		switch {
		case !ok:
			all[name] = tftypes.NewValue(typ, nil)
		case isMap:
			elements := map[string]tftypes.Value{}
			for key, value := range labels {
				elements[key] = tftypes.NewValue(tftypes.String, value)
			}
			all[name] = tftypes.NewValue(typ, elements)
		default:
			all[name] = tftypes.NewValue(typ, given)
		}
	}
	return tftypes.NewValue(s.Type, all)
}

// plan validates and plans a configuration over a prior state.
func (s server) plan(config, prior tftypes.Value) (tftypes.Value, []*tfprotov6.Diagnostic, []*tftypes.AttributePath) {
	s.Helper()
	if diags := s.Validate(config); len(diags) > 0 {
		return tftypes.Value{}, diags, nil
	}
	planned, resp := s.Plan(config, prior)
	return planned, resp.Diagnostics, resp.RequiresReplace
}

// Bad input is an error at the attribute, before anything is asked.
func TestBadInput(t *testing.T) {
	s := newServer(t, "")
	selector := map[string]string{"app": "a"}
	unknown := tftypes.UnknownValue
	for name, c := range map[string]struct {
		config map[string]any
		// at is the attribute of the error, empty for none.
		at, message string
	}{
		"unknown mode":               {map[string]any{"mode": "ALLOW_SOME"}, "mode", `"ALLOW_ANY" "REGISTRY_ONLY"`},
		"a mode of the mesh config":  {map[string]any{"mode": "ALLOW_ANY_DYNAMIC_DNS"}, "mode", "must be one of"},
		"selector without namespace": {map[string]any{"mode": "ALLOW_ANY", "name": "x", "workload_selector": selector}, "workload_selector", "Set `namespace`"},
		"empty selector":             {map[string]any{"mode": "ALLOW_ANY", "name": "x", "namespace": "shop", "workload_selector": map[string]string{}}, "workload_selector", "at least 1"},
		"invalid label":              {map[string]any{"mode": "ALLOW_ANY", "name": "x", "namespace": "shop", "workload_selector": map[string]string{"app": "a b"}}, "workload_selector", "app=a b"},
		"selector without name":      {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "workload_selector": selector}, "name", "needs a name"},
		"name without selector":      {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "name": "x"}, "name", "without a workload selector"},
		"root namespace":             {map[string]any{"mode": "ALLOW_ANY", "namespace": "istio-system"}, "namespace", "Leave `namespace` out"},
		"invalid namespace":          {map[string]any{"mode": "ALLOW_ANY", "namespace": "Shop"}, "namespace", "Invalid namespace"},
		"invalid revision":           {map[string]any{"mode": "ALLOW_ANY", "revision": ""}, "revision", "not empty"},
		"invalid name":               {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "name": "a/b", "workload_selector": selector}, "name", "Invalid name"},

		"unknown namespace":              {map[string]any{"mode": "ALLOW_ANY", "namespace": unknown, "name": "x", "workload_selector": selector}, "", ""},
		"unknown selector":               {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "workload_selector": unknown}, "", ""},
		"unknown selector, with a name":  {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "name": "x", "workload_selector": unknown}, "", ""},
		"unknown name":                   {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "name": unknown}, "", ""},
		"unknown name, with a selector":  {map[string]any{"mode": "ALLOW_ANY", "namespace": "shop", "name": unknown, "workload_selector": selector}, "", ""},
		"unknown mode of a right config": {map[string]any{"mode": unknown, "namespace": "shop"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags, _ := s.plan(s.value(c.config), s.None())
			if c.at == "" {
				for _, d := range diags {
					if d.Severity == tfprotov6.DiagnosticSeverityError {
						t.Errorf("%s: %s", d.Summary, d.Detail)
					}
				}
				return
			}
			if len(diags) != 1 || diags[0].Severity != tfprotov6.DiagnosticSeverityError {
				t.Fatalf("%d diagnostics: %+v", len(diags), diags)
			}
			d := diags[0]
			if !strings.Contains(d.Summary+d.Detail, c.message) || d.Attribute == nil || d.Attribute.Steps()[0] != tftypes.AttributeName(c.at) {
				t.Errorf("at %s: %s: %s", d.Attribute, d.Summary, d.Detail)
			}
		})
	}
}

// state is a mesh policy as it stands in a state without drift.
func (s server) state(mode string) tftypes.Value {
	effective := tftypes.NewValue(s.Type.AttributeTypes["effective_from"], map[string]tftypes.Value{
		"level": tftypes.NewValue(tftypes.String, "mesh"), "object": tftypes.NewValue(tftypes.String, "ConfigMap/istio-system/istio"),
		"mode": tftypes.NewValue(tftypes.String, mode),
	})
	value := s.value(map[string]any{"mode": mode, "object": "ConfigMap/istio-system/istio", "drift": map[string]string{}})
	attributes := s.Attributes(value)
	attributes["effective_from"] = effective
	return tftypes.NewValue(s.Type, attributes)
}

func (s server) attribute(value tftypes.Value, name string) tftypes.Value {
	s.Helper()
	return s.Attributes(value)[name]
}

// What is known in a plan without a cluster, and that a plan of nothing is one.
func TestPlannedValues(t *testing.T) {
	s := newServer(t, "")
	planned, _, _ := s.plan(s.value(map[string]any{"mode": "REGISTRY_ONLY"}), s.None())
	var object string
	if err := s.attribute(planned, "object").As(&object); err != nil || object != "ConfigMap/istio-system/istio" {
		t.Errorf("object %q, %v", object, err)
	}
	if s.attribute(planned, "previous_mode").IsKnown() || s.attribute(planned, "effective_from").IsKnown() || !s.attribute(planned, "drift").IsKnown() {
		t.Errorf("%s", planned)
	}

	prior := s.state("REGISTRY_ONLY")
	same, diags, replace := s.plan(s.value(map[string]any{"mode": "REGISTRY_ONLY"}), prior)
	if !same.Equal(prior) || len(diags)+len(replace) > 0 {
		t.Errorf("a plan of nothing: %s %v", same, diags)
	}

	update, diags, replace := s.plan(s.value(map[string]any{"mode": "ALLOW_ANY"}), prior)
	if s.attribute(update, "effective_from").IsKnown() || !s.attribute(update, "previous_mode").IsNull() || len(replace) > 0 {
		t.Errorf("%s", update)
	}
	if len(diags) != 1 || diags[0].Summary != "Undeclared hosts become reachable" || !strings.Contains(diags[0].Detail, "every workload of the mesh") {
		t.Errorf("%v", diags)
	}

	// Another control plane is another resource, also by the provider's revision.
	revisioned := newServer(t, "1-31")
	for _, where := range []struct {
		server
		config map[string]any
	}{
		{s, map[string]any{"mode": "REGISTRY_ONLY", "revision": "canary"}},
		{revisioned, map[string]any{"mode": "REGISTRY_ONLY"}},
		{s, map[string]any{"mode": "REGISTRY_ONLY", "namespace": "shop"}},
	} {
		if _, _, replace := where.plan(where.value(where.config), prior); len(replace) == 0 {
			t.Errorf("%v is no replacement", where.config)
		}
	}
}

// The destroy of what closes says so, unless it was closed before.
func TestDestroyWarns(t *testing.T) {
	r := &Resource{provider: &settings.Provider{}}
	for _, c := range []struct {
		mode, previous string
		warns          string
	}{
		{"REGISTRY_ONLY", "", "Istio's default"}, {"REGISTRY_ONLY", "ALLOW_ANY", "What holds then is ALLOW_ANY"},
		{"REGISTRY_ONLY", "REGISTRY_ONLY", ""}, {"ALLOW_ANY", "", ""},
	} {
		prior := &Model{Policy: outbound.Policy{Mode: c.mode}, Computed: Computed{PreviousMode: values.TextOrNull(c.previous)}}
		diags := r.opensOnDestroy(prior)
		if (len(diags) > 0) != (c.warns != "") || len(diags) > 0 && !strings.Contains(diags[0].Detail(), c.warns) {
			t.Errorf("%+v: %v", c, diags)
		}
	}
}

// The model has exactly the attributes of the schema: a value with everything
// set decodes into it and back. Null stays null.
func TestModelMatchesSchema(t *testing.T) {
	s := newServer(t, "")
	if diags := s.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	for name, attribute := range s.Schema.Attributes {
		if attribute.GetMarkdownDescription() == "" {
			t.Errorf("%s has no description", name)
		}
	}
	full := s.state("ALLOW_ANY")
	for _, attribute := range []string{"namespace", "name", "revision", "previous_mode", "workload_selector"} {
		for _, set := range []bool{true, false} {
			state := tfsdk.State{Raw: full, Schema: s.Schema}
			var value any
			if value = map[string]string{"app": "a"}; attribute != "workload_selector" {
				value = "text"
			}
			if set {
				if diags := state.SetAttribute(t.Context(), path.Root(attribute), value); diags.HasError() {
					t.Fatal(diags)
				}
			}
			before := state.Raw
			var model Model
			if diags := state.Get(t.Context(), &model); diags.HasError() {
				t.Fatal(diags)
			}
			if diags := state.Set(t.Context(), model); diags.HasError() || !state.Raw.Equal(before) {
				t.Errorf("%s is lost (set %t): %v", attribute, set, diags)
			}
		}
	}
}
