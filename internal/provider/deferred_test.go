package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

const samplePolicy = `{
  "name": "p", "by_egress_gateway": {"name": "g"},
  "egress_rules": [{
    "from": [{"namespace": "n", "workload_selector": {"app": "a"}}],
    "to": [{"name": "web", "hosts": ["www.example.com"], "port": {"name": "https", "number": 443, "protocol": "HTTPS"}}]
  }]
}`

// Where the provider defers, plans are deferred too: none is made on the short
// way of package protocol.
func TestDeferredPlans(t *testing.T) {
	server, err := protocol.New(New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	encode := func(value tftypes.Value) *tfprotov6.DynamicValue {
		encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
		if err != nil {
			t.Fatal(err)
		}
		return &encoded
	}
	typ := schemas.ResourceSchemas[trafficpolicy.TypeName].ValueType()
	config, err := tftypes.ValueFromJSON([]byte(samplePolicy), typ) //nolint:staticcheck // there is no other decoder of JSON
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		block  map[string]any
		defers bool
	}{
		"known":   {nil, false},
		"unknown": {map[string]any{"host": tftypes.UnknownValue}, true},
	} {
		t.Run(name, func(t *testing.T) {
			configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
				Config:             encode(block(t, c.block)),
				ClientCapabilities: &tfprotov6.ConfigureProviderClientCapabilities{DeferralAllowed: true},
			})
			if err != nil || len(configured.Diagnostics) > 0 {
				t.Fatal(err, configured)
			}
			planned, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: trafficpolicy.TypeName, Config: encode(config), ProposedNewState: encode(config),
				PriorState:         encode(tftypes.NewValue(typ, nil)),
				ClientCapabilities: &tfprotov6.PlanResourceChangeClientCapabilities{DeferralAllowed: true},
			})
			if err != nil || (planned.Deferred != nil) != c.defers {
				t.Errorf("deferred: %+v, %v", planned.Deferred, err)
			}
		})
	}
}
