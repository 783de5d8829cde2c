// Package protocoltest speaks the plugin protocol with one resource, as core
// does, without a cluster.
package protocoltest

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Server is a provider that has one resource. What goes wrong with the
// protocol itself ends the test.
type Server struct {
	rapid.TB
	Schema schema.Schema
	// Type is that of the resource's values.
	Type tftypes.Object

	name string
	one  one
	wire tfprotov6.ProviderServer
}

// New serves a resource. settings is called for each configuration of the
// provider; the address of its cluster is not known.
func New(t rapid.TB, newResource func() resource.Resource, settings func() *settings.Provider) Server {
	t.Helper()
	provider := one{resource: newResource, settings: settings}
	wire, err := protocol.New(provider)()
	if err != nil {
		t.Fatal(err)
	}
	var metadata resource.MetadataResponse
	newResource().Metadata(context.Background(), resource.MetadataRequest{}, &metadata)
	var described resource.SchemaResponse
	newResource().Schema(context.Background(), resource.SchemaRequest{}, &described)
	typ, ok := described.Schema.Type().TerraformType(context.Background()).(tftypes.Object)
	if !ok {
		t.Fatalf("the schema of %s is no object", metadata.TypeName)
	}
	s := Server{TB: t, Schema: described.Schema, Type: typ, name: metadata.TypeName, one: provider, wire: wire}
	s.Configure()
	return s
}

// In returns the server for a test within the test.
func (s Server) In(t rapid.TB) Server {
	s.TB = t
	return s
}

// Bare returns the server of terraform-plugin-framework itself, in a run of
// its own.
func (s Server) Bare() Server {
	s.Helper()
	s.wire = providerserver.NewProtocol6(s.one)()
	s.Configure()
	return s
}

// Configure begins another run: what was planned before is not known in it.
func (s Server) Configure() {
	s.Helper()
	empty, err := tfprotov6.NewDynamicValue(tftypes.Object{}, tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{}))
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.wire.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: &empty}); err != nil {
		s.Fatal(err)
	}
}

// Validate returns the diagnostics of a configuration.
func (s Server) Validate(config tftypes.Value) []*tfprotov6.Diagnostic {
	s.Helper()
	resp, err := s.wire.ValidateResourceConfig(context.Background(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: s.name, Config: s.encode(config),
	})
	if err != nil {
		s.Fatal(err)
	}
	return resp.Diagnostics
}

// Plan plans a configuration over a prior state, None for a create. The value
// is empty if the response has an error.
func (s Server) Plan(config, prior tftypes.Value) (tftypes.Value, *tfprotov6.PlanResourceChangeResponse) {
	s.Helper()
	resp, err := s.wire.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: s.name, Config: s.encode(config), PriorState: s.encode(prior),
		ProposedNewState: s.encode(s.propose(config, prior)),
	})
	if err != nil {
		s.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return tftypes.Value{}, resp
		}
	}
	planned, err := resp.PlannedState.Unmarshal(s.Type)
	if err != nil {
		s.Fatal(err)
	}
	return planned, resp
}

// propose merges as core does: what is computed and not configured has its
// prior value, which is null where there is nothing yet (internal/plans/objchange,
// ProposedNew).
func (s Server) propose(config, prior tftypes.Value) tftypes.Value {
	s.Helper()
	if prior.IsNull() {
		return config
	}
	proposed := s.Attributes(config)
	for name, attribute := range s.Schema.Attributes {
		if !attribute.IsComputed() || !proposed[name].IsNull() {
			continue
		}
		proposed[name] = s.Attributes(prior)[name]
	}
	return tftypes.NewValue(s.Type, proposed)
}

// None is the prior state of a create.
func (s Server) None() tftypes.Value { return tftypes.NewValue(s.Type, nil) }

// Attributes returns the attributes of a value, in a map of their own.
func (s Server) Attributes(value tftypes.Value) map[string]tftypes.Value {
	s.Helper()
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		s.Fatal(err)
	}
	return maps.Clone(attributes)
}

func (s Server) encode(value tftypes.Value) *tfprotov6.DynamicValue {
	s.Helper()
	encoded, err := tfprotov6.NewDynamicValue(s.Type, value)
	if err != nil {
		s.Fatal(err)
	}
	return &encoded
}

// one is a provider with one resource.
type one struct {
	resource func() resource.Resource
	settings func() *settings.Provider
}

func (one) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "istio"
}

func (one) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

func (one) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (o one) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{o.resource}
}

func (o one) Configure(ctx context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	configured := o.settings()
	configured.Connect = func() (*cluster.Client, error) {
		return nil, &settings.UnknownError{Attributes: []string{"host"}}
	}
	resp.ResourceData = configured
	protocol.Configured(ctx, configured)
}
