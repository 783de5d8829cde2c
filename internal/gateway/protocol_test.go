package gateway

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// server speaks the plugin protocol with the resource, as core does.
type server struct{ protocoltest.Server }

func newServer(t *testing.T, meshKnown bool) server {
	t.Helper()
	return server{protocoltest.New(t, New, func() *settings.Provider {
		return &settings.Provider{
			Mesh:      compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"},
			Detail:    manifest.DetailDigest,
			MeshKnown: meshKnown,
		}
	})}
}

// config returns an intent as the configuration that says it.
func (s server) config(t *testing.T, g workload.Gateway) tftypes.Value {
	t.Helper()
	attributes := s.Attributes(stateOf(t, g).Raw)
	for name := range computed {
		attributes[name] = tftypes.NewValue(s.Type.AttributeTypes[name], nil)
	}
	return tftypes.NewValue(s.Type, attributes)
}

// create plans a new gateway.
func (s server) create(config tftypes.Value) map[string]tftypes.Value {
	s.Helper()
	planned, resp := s.Plan(config, s.None())
	for _, d := range resp.Diagnostics {
		s.Errorf("%s: %s (%s)", d.Summary, d.Detail, d.Attribute)
	}
	return s.Attributes(planned)
}

// everything is the intent that sets every attribute.
func everything(t *testing.T) workload.Gateway {
	t.Helper()
	text, err := os.ReadFile("../compile/workload/testdata/everything.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g := workload.Defaults()
	if err := yaml.UnmarshalStrict(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestUnknowns: whatever leaf is unknown, validation and plan go through, and
// the plan knows what does not depend on it.
func TestUnknowns(t *testing.T) {
	s := newServer(t, true)
	whole := s.config(t, everything(t))
	if diags := s.Validate(whole); len(diags) > 0 {
		t.Fatal(diags[0].Summary, diags[0].Detail)
	}
	var leaves []*tftypes.AttributePath
	err := tftypes.Walk(whole, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if len(at.Steps()) > 0 && !value.IsNull() {
			leaves = append(leaves, at)
		}
		return true, nil
	})
	if err != nil || len(leaves) < 150 {
		t.Fatalf("%d leaves: %v", len(leaves), err)
	}
	facts := map[string]bool{"name": true, "namespace": true, "revision": true, "mutual_tls": true, "authorization": true}
	for _, leaf := range leaves {
		config, err := tftypes.Transform(whole, func(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
			if at.Equal(leaf) {
				return tftypes.NewValue(value.Type(), tftypes.UnknownValue), nil
			}
			return value, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range s.Validate(config) {
			t.Errorf("%s unknown: %s: %s (%s)", leaf, d.Summary, d.Detail, d.Attribute)
		}
		planned := s.create(config)
		if planned["manifests"].IsKnown() {
			t.Errorf("%s unknown: manifests are known", leaf)
		}
		if !planned["drift"].IsKnown() {
			t.Errorf("%s unknown: drift is unknown, and an apply leaves none", leaf)
		}
		root, ok := leaf.Steps()[0].(tftypes.AttributeName)
		if want := !(ok && facts[string(root)]); planned["reference"].IsFullyKnown() != want {
			t.Errorf("%s unknown: reference known is %v", leaf, !want)
		}
	}
}

// TestWholeGatewayIsItsReference: Terraform takes a whole gateway where a
// reference is asked for, as the object of those of its attributes that a
// reference has. None may be missing, or say something else.
func TestWholeGatewayIsItsReference(t *testing.T) {
	s := newServer(t, true)
	g := everything(t)
	if g.Revision == nil {
		t.Fatal("the revision would be the provider's, which a policy falls back to by itself")
	}
	// With something unknown that does not matter here, the plan looks at no cluster.
	config, err := tftypes.Transform(s.config(t, g), func(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if at.Equal(tftypes.NewAttributePath().WithAttributeName("access_log")) {
			return tftypes.NewValue(value.Type(), tftypes.UnknownValue), nil
		}
		return value, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	planned := s.create(config)
	var reference map[string]tftypes.Value
	if err := planned["reference"].As(&reference); err != nil || len(reference) != reflect.TypeFor[compile.Reference]().NumField() {
		t.Fatalf("reference has %d attributes: %v", len(reference), err)
	}
	for name, value := range reference {
		if whole, ok := planned[name]; !ok || !whole.Equal(value) {
			t.Errorf("%s is %s in reference, and %s of the gateway", name, value, whole)
		}
	}
	var data datasource.SchemaResponse
	(&DataSource{}).Schema(t.Context(), datasource.SchemaRequest{}, &data)
	for name, typ := range referenceTypes {
		if attribute, ok := data.Schema.Attributes[name]; !ok || !attribute.GetType().Equal(typ) {
			t.Errorf("the data source has no %s of type %s", name, typ)
		}
	}
}

// TestUnknownMesh: nothing can be compiled before the provider block is known.
func TestUnknownMesh(t *testing.T) {
	s := newServer(t, false)
	g := workload.Defaults()
	g.Name = "a"
	planned := s.create(s.config(t, g))
	for _, name := range []string{"manifests", "reference", "service_host", "cluster_ip"} {
		if planned[name].IsKnown() {
			t.Errorf("%s is known", name)
		}
	}
}

// TestBadInput: each mistake is one error of `terraform validate`, at the
// attribute. What counts as a mistake is tested in package workload.
func TestBadInput(t *testing.T) {
	s := newServer(t, true)
	text := func(value string) *string { return &value }
	number := func(value int64) *int64 { return &value }
	for name, test := range map[string]struct {
		change func(*workload.Gateway)
		path   string
	}{
		"name":            {func(g *workload.Gateway) { g.Name = "A" }, "name"},
		"long name":       {func(g *workload.Gateway) { g.Name = strings.Repeat("a", 33) }, "name"},
		"namespace":       {func(g *workload.Gateway) { g.Namespace = "a.b" }, "namespace"},
		"root namespace":  {func(g *workload.Gateway) { g.Namespace = "istio-system" }, "namespace"},
		"label key":       {func(g *workload.Gateway) { g.Labels = map[string]string{"a b": "c"} }, "labels"},
		"port range":      {func(g *workload.Gateway) { g.Ports[0].Port = 65536 }, `ports[0].port`},
		"reserved port":   {func(g *workload.Gateway) { g.Ports[1].TargetPort = number(15001) }, `ports[1].target_port`},
		"privileged port": {func(g *workload.Gateway) { g.Ports[1].TargetPort = number(443) }, `ports[1].target_port`},
		"duplicate name":  {func(g *workload.Gateway) { g.Ports[1].Name = g.Ports[0].Name }, `ports[1].name`},
		"percentage":      {func(g *workload.Gateway) { g.RollingUpdate = &workload.RollingUpdate{MaxSurge: text("2.5")} }, `rolling_update.max_surge`},
		"quantity":        {func(g *workload.Gateway) { g.Resources = &workload.Resources{Limits: map[string]string{"cpu": "much"}} }, `resources.limits`},
		"enumeration":     {func(g *workload.Gateway) { g.Service = &workload.Service{Type: text("None")} }, `service.type`},
		"budget of both": {func(g *workload.Gateway) {
			g.PodDisruptionBudget = &workload.PodDisruptionBudget{MinAvailable: text("1"), MaxUnavailable: text("1")}
		}, "pod_disruption_budget"},
		"nobody to admit": {func(g *workload.Gateway) { g.MutualTLS = false }, "authorization"},
		"minimum > maximum": {func(g *workload.Gateway) {
			g.Autoscaling = &workload.Autoscaling{MinReplicas: number(3), MaxReplicas: 2}
		}, `autoscaling.min_replicas`},
		"replicas with autoscaling": {func(g *workload.Gateway) {
			g.Replicas, g.Autoscaling = number(2), &workload.Autoscaling{MaxReplicas: 2}
		}, "replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			g := workload.Defaults()
			g.Name = "a"
			test.change(&g)
			diags := s.Validate(s.config(t, g))
			if len(diags) != 1 {
				t.Fatalf("%d diagnostics, want 1: %v", len(diags), diags)
			}
			if got := dotted(diags[0].Attribute); got != test.path || diags[0].Severity != tfprotov6.DiagnosticSeverityError {
				t.Errorf("%s: %s, at %s, want %s", diags[0].Summary, diags[0].Detail, got, test.path)
			}
		})
	}
	t.Run("null element", func(t *testing.T) {
		attributes := s.Attributes(s.config(t, workload.Gateway{Name: "a", Namespace: "b", Ports: workload.Defaults().Ports, Authorization: "none"}))
		typ := s.Type.AttributeTypes["labels"]
		attributes["labels"] = tftypes.NewValue(typ, map[string]tftypes.Value{"a": tftypes.NewValue(tftypes.String, nil)})
		if diags := s.Validate(tftypes.NewValue(s.Type, attributes)); len(diags) != 1 || dotted(diags[0].Attribute) != "labels" {
			t.Errorf("%v", diags)
		}
	})
}

// dotted prints a path as Terraform does.
func dotted(at *tftypes.AttributePath) string {
	var text strings.Builder
	for _, step := range at.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			if text.Len() > 0 {
				text.WriteByte('.')
			}
			text.WriteString(string(step))
		case tftypes.ElementKeyInt:
			text.WriteString("[" + string(rune('0'+int(step))) + "]")
		default:
			text.WriteString("[?]")
		}
	}
	return text.String()
}
