package mesh

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	fields := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: fields}
}

func filled(t *testing.T, seen look) Model {
	t.Helper()
	var m Model
	if diags := m.fill(seen); diags.HasError() {
		t.Fatal(diags)
	}
	return m
}

// The model has the attributes of the schema, with their types.
func TestModelMatchesSchema(t *testing.T) {
	var resp datasource.SchemaResponse
	NewDataSource().Schema(t.Context(), datasource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	for name, attribute := range resp.Schema.Attributes {
		if attribute.GetMarkdownDescription() == "" {
			t.Errorf("%s has no description", name)
		}
	}
	state := tfsdk.State{Schema: resp.Schema, Raw: tftypes.NewValue(resp.Schema.Type().TerraformType(t.Context()), nil)}
	if diags := state.Set(t.Context(), filled(t, look{plane: settings.ControlPlane{ConfigMap: meshconfig.ConfigMap("istio-system", "")}})); diags.HasError() {
		t.Error(diags)
	}
}

func TestEnforced(t *testing.T) {
	closed, open := outbound.Effective{Mode: meshconfig.RegistryOnly}, outbound.Effective{Mode: meshconfig.AllowAny}
	of := func(effective ...outbound.Effective) []outbound.Found {
		var all []outbound.Found
		for _, e := range effective {
			all = append(all, outbound.Found{Effective: e})
		}
		return all
	}
	for name, c := range map[string]struct {
		seen       look
		everywhere outbound.Effective
		found      []outbound.Found
		want       types.Bool
	}{
		"all closed":          {look{ambientKnown: true}, closed, of(closed, closed), types.BoolValue(true)},
		"mesh open":           {look{ambientKnown: true}, open, of(closed), types.BoolValue(false)},
		"one open":            {look{ambientKnown: true}, closed, of(closed, open), types.BoolValue(false)},
		"ambient":             {look{ambientKnown: true, ambient: []string{"shop"}}, closed, nil, types.BoolValue(false)},
		"ambient unknown":     {look{}, closed, nil, types.BoolNull()},
		"mode unknown":        {look{ambientKnown: true}, outbound.Effective{}, of(closed), types.BoolNull()},
		"unknown, but open":   {look{}, closed, of(open), types.BoolValue(false)},
		"dynamic DNS is open": {look{ambientKnown: true}, outbound.Effective{Mode: meshconfig.AllowAnyDynamicDNS}, nil, types.BoolValue(false)},
	} {
		if got := enforced(c.seen, c.everywhere, c.found); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// The Sidecar of the root namespace is what holds for the mesh, not a
// namespace's.
func TestOutboundByScope(t *testing.T) {
	live := []*unstructured.Unstructured{
		object(t, `{metadata: {namespace: istio-system, name: default}, spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}`),
		object(t, `{metadata: {namespace: shop, name: default}, spec: {egress: []}}`),
		object(t, `{metadata: {namespace: shop, name: web}, spec: {workloadSelector: {labels: {app: web}}, outboundTrafficPolicy: {mode: ALLOW_ANY}}}`),
	}
	m := filled(t, look{
		plane:    settings.ControlPlane{ConfigMap: meshconfig.ConfigMap("istio-system", "")},
		sidecars: outbound.NewSidecars(live, "istio-system", ""), ambientKnown: true,
	})
	got := ""
	for _, e := range m.Outbound.Elements() {
		attributes := e.(types.Object).Attributes()
		for _, name := range []string{"scope", "namespace", "name", "workload_selector", "level", "mode"} {
			got += attributes[name].String() + " "
		}
		got += "\n"
	}
	want := `"mesh" <null> <null> <null> "root_namespace" "REGISTRY_ONLY" ` + "\n" +
		`"namespace" "shop" "default" <null> "default" "ALLOW_ANY" ` + "\n" +
		`"workload" "shop" "web" {"app":"web"} "workload" "ALLOW_ANY" ` + "\n"
	if got != want || m.EgressEnforced.ValueBool() || m.OutboundMode.ValueString() != "REGISTRY_ONLY" {
		t.Errorf("%s\nwant\n%s%+v", got, want, m)
	}
}

func TestVersionAndRevision(t *testing.T) {
	image := func(image string) *unstructured.Unstructured {
		return object(t, `{metadata: {labels: {istio.io/rev: canary}}, spec: {template: {spec: {containers: [{name: discovery, image: "`+image+`"}]}}}}`)
	}
	for text, want := range map[string]string{
		"docker.io/istio/pilot:1.31.1": "1.31.1", "localhost:5000/pilot": "", "localhost:5000/pilot:1.30.0-distroless@sha256:abc": "1.30.0-distroless",
	} {
		if got := versionOf(image(text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
	labelled := object(t, `{metadata: {labels: {app.kubernetes.io/version: 1.31.0}}}`)
	if versionOf(labelled) != "1.31.0" || versionOf(nil) != "" || settings.RevisionOf(labelled) != "default" || settings.RevisionOf(image("x")) != "canary" {
		t.Error("label, no Deployment, or revision")
	}
}
