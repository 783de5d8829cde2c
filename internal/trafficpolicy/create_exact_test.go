package trafficpolicy_test

import (
	"fmt"
	"slices"
	"testing"

	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// What core is told of a create is what terraform-plugin-framework says of it:
// of one that succeeds, one that fails half-way, and one that writes nothing.
func TestCreateIsExact(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	create := func(name, namespace, more string) string {
		return fmt.Sprintf(`{
  "name": %q, %s
  "by_egress_gateway": {"name": "egressgateway-a", "namespace": %q},
  "egress_rules": [{
    "from": [{"namespace": %q, "workload_selector": {"app": "a"}}],
    "to":   [{"name": "web", "hosts": ["www.%[1]s.example"], "port": {"name": "https", "number": 443, "protocol": "HTTPS"}}]
  }]
}`, name, more, egress, namespace)
	}
	f.Apply(egress, "{apiVersion: v1, kind: Service, metadata: {name: egressgateway-a}, spec: {selector: {istio: egressgateway-a}, ports: [{port: 80}]}}")
	f.Apply(shop, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: theirs}
spec:
  hosts: [www.hidden.example]
  tls: [{match: [{port: 443, sniHosts: [www.hidden.example]}], route: [{destination: {host: other.example}}]}]
`)
	for name, c := range map[string]struct {
		config string
		errors bool
		keeps  bool
	}{
		"created":           {create("made", shop, ""), false, true},
		"half-way":          {create("half", "nowhere-"+f.Suffix, ""), true, true},
		"nothing written":   {create("hidden", shop, ""), true, false},
		"with its timeouts": {create("timed", shop, `"timeouts": {"create": "1m"},`), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			ours := createdBy(t, f, protocol.New, c.config)
			theirs := createdBy(t, f, providerserver.NewProtocol6WithError, c.config)
			if !slices.Equal(ours.said, theirs.said) || len(ours.said) > 0 != c.errors {
				t.Errorf("it says\n%s\nwant\n%s", ours.said, theirs.said)
			}
			if !ours.planned.Equal(theirs.planned) {
				t.Errorf("planned\n%s\nwant\n%s", ours.planned, theirs.planned)
			}
			if !ours.state.Equal(theirs.state) || ours.state.IsNull() == c.keeps {
				t.Errorf("the state is\n%s\nwant\n%s", ours.state, theirs.state)
			}
			if !ours.identity.Equal(theirs.identity) || ours.private != theirs.private {
				t.Errorf("identity and private state: %s, %d bytes; want %s, %d bytes", ours.identity, ours.private, theirs.identity, theirs.private)
			}
		})
	}
}

// created is what a server has answered. The owner in the private state is
// random, but for its length.
type created struct {
	said                     []string
	planned, state, identity tftypes.Value
	private                  int
}

// createdBy plans and creates a policy as core does, and destroys what is there
// then.
func createdBy(t *testing.T, f *acctest.Fixture, serve func(framework.Provider) func() (tfprotov6.ProviderServer, error), config string) created {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	server, err := serve(provider.New("test")())()
	must(err)
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	must(err)
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	must(err)
	value := func(typ tftypes.Type, text string) *tfprotov6.DynamicValue {
		decoded, err := tftypes.ValueFromJSON([]byte(text), typ) //nolint:staticcheck // there is no other decoder of JSON
		must(err)
		encoded, err := tfprotov6.NewDynamicValue(typ, decoded)
		must(err)
		return &encoded
	}
	block := fmt.Sprintf(`{"config_path": %q}`, f.ControlPlane().Kubeconfig)
	configured, err := server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{Config: value(schemas.Provider.ValueType(), block)})
	must(err)
	if len(configured.Diagnostics) > 0 {
		t.Fatal(texts(configured.Diagnostics))
	}
	typ := schemas.ResourceSchemas[trafficpolicy.TypeName].ValueType()
	wanted, none := value(typ, config), value(typ, "null")
	planned, err := server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{
		TypeName: trafficpolicy.TypeName, Config: wanted, PriorState: none, ProposedNewState: wanted,
		// As Terraform says when it plans again during apply.
		ClientCapabilities: &tfprotov6.PlanResourceChangeClientCapabilities{DeferralAllowed: true},
	})
	must(err)
	var c created
	c.planned, err = planned.PlannedState.Unmarshal(typ)
	must(err)
	applied, err := server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName: trafficpolicy.TypeName, Config: wanted, PriorState: none,
		PlannedState: planned.PlannedState, PlannedPrivate: planned.PlannedPrivate, PlannedIdentity: planned.PlannedIdentity,
	})
	must(err)
	c.said, c.private = texts(append(planned.Diagnostics, applied.Diagnostics...)), len(applied.Private)
	c.state, err = applied.NewState.Unmarshal(typ)
	must(err)
	c.identity, err = applied.NewIdentity.IdentityData.Unmarshal(identities.IdentitySchemas[trafficpolicy.TypeName].ValueType())
	must(err)
	if !c.state.IsNull() {
		destroyed, err := server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{
			TypeName: trafficpolicy.TypeName, Config: none, PriorState: applied.NewState,
			PlannedState: none, PlannedPrivate: applied.Private, PlannedIdentity: applied.NewIdentity,
		})
		must(err)
		if len(destroyed.Diagnostics) > 0 {
			t.Fatal(texts(destroyed.Diagnostics))
		}
	}
	return c
}

func texts(said []*tfprotov6.Diagnostic) []string {
	var lines []string
	for _, d := range said {
		lines = append(lines, fmt.Sprintf("%s %s: %s: %s", d.Severity, d.Attribute, d.Summary, d.Detail))
	}
	slices.Sort(lines)
	return lines
}
