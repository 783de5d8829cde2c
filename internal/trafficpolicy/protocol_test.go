package trafficpolicy

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// offline is a provider with this resource alone, and no cluster.
type offline struct{ meshKnown bool }

func (offline) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "istio"
}
func (offline) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}
func (offline) DataSources(context.Context) []func() datasource.DataSource               { return nil }
func (offline) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{New}
}
func (o offline) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData = &settings.Provider{
		Mesh: compile.Mesh{
			RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local",
		},
		Detail:    manifest.DetailDigest,
		MeshKnown: o.meshKnown,
		Connect: func() (*cluster.Client, error) {
			return nil, &settings.UnknownError{Attributes: []string{"host"}}
		},
	}
}

// server speaks the plugin protocol with the resource, as core does.
type server struct {
	t    rapid.TB
	wire tfprotov6.ProviderServer
	typ  tftypes.Type
}

func newServer(t rapid.TB, p offline) server {
	t.Helper()
	wire, err := protocol.New(p)()
	if err != nil {
		t.Fatal(err)
	}
	s := server{t: t, wire: wire, typ: testSchema(t).Type().TerraformType(context.Background())}
	s.configure()
	return s
}

// configure begins another run, as core does: what was planned before is not
// known in it.
func (s server) configure() {
	s.t.Helper()
	empty, _ := tfprotov6.NewDynamicValue(tftypes.Object{}, tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{}))
	if _, err := s.wire.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: &empty}); err != nil {
		s.t.Fatal(err)
	}
}

func (s server) encode(value tftypes.Value) *tfprotov6.DynamicValue {
	s.t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(s.typ, value)
	if err != nil {
		s.t.Fatal(err)
	}
	return &encoded
}

// validate returns the diagnostics of a configuration.
func (s server) validate(config tftypes.Value) []*tfprotov6.Diagnostic {
	s.t.Helper()
	resp, err := s.wire.ValidateResourceConfig(context.Background(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: TypeName, Config: s.encode(config),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.Diagnostics
}

// plan plans a configuration over a prior state (a null value for a create).
// Computed attributes are proposed as core does: prior values, or unknown.
func (s server) plan(config, prior tftypes.Value) (tftypes.Value, *tfprotov6.PlanResourceChangeResponse) {
	s.t.Helper()
	resp, err := s.wire.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: TypeName, Config: s.encode(config), PriorState: s.encode(prior),
		ProposedNewState: s.encode(s.propose(config, prior)),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return tftypes.Value{}, resp
		}
	}
	planned, err := resp.PlannedState.Unmarshal(s.typ)
	if err != nil {
		s.t.Fatal(err)
	}
	return planned, resp
}

func (s server) propose(config, prior tftypes.Value) tftypes.Value {
	s.t.Helper()
	proposed := attributesOf(s.t, config)
	for name := range providerAttributes {
		if name == "timeouts" {
			continue
		}
		if prior.IsNull() {
			proposed[name] = tftypes.NewValue(proposed[name].Type(), tftypes.UnknownValue)
		} else {
			proposed[name] = attributesOf(s.t, prior)[name]
		}
	}
	return tftypes.NewValue(s.typ, proposed)
}

func attributesOf(t rapid.TB, value tftypes.Value) map[string]tftypes.Value {
	t.Helper()
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		t.Fatal(err)
	}
	return maps.Clone(attributes) // As shares the map with the value
}

func (s server) none() tftypes.Value { return tftypes.NewValue(s.typ, nil) }
