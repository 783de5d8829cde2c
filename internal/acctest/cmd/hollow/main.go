// Command hollow is a provider that does nothing: it has the schema of this
// provider, takes every configuration for valid, and keeps as state what core
// proposes, with computed values of the size and shape of a small policy's. It
// asks no cluster and compiles nothing.
//
// What a CLI takes with it is core's own cost of a resource of this schema
// behind gRPC. terraform_data, which lives inside core, does not show that.
//
//	go build -o DIR/terraform-provider-istio ./internal/acctest/cmd/hollow
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
)

func main() {
	served, err := protocol.New(provider.New("hollow")())()
	if err != nil {
		log.Fatal(err)
	}
	schemas, err := served.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		log.Fatal(err)
	}
	h := &hollow{ProviderServer: served, types: map[string]tftypes.Type{}}
	for name, schema := range schemas.ResourceSchemas {
		h.types[name] = schema.ValueType()
	}
	err = tf6server.Serve("registry.terraform.io/meshegress/istio", func() tfprotov6.ProviderServer { return h })
	if err != nil {
		log.Fatal(err)
	}
}

// hollow answers what a plan and an apply of resources call; all else is the
// real server's.
type hollow struct {
	tfprotov6.ProviderServer
	types map[string]tftypes.Type
}

func (*hollow) ValidateProviderConfig(_ context.Context, req *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: req.Config}, nil
}

func (*hollow) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (*hollow) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (h *hollow) UpgradeResourceState(_ context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	state, err := req.RawState.Unmarshal(h.types[req.TypeName])
	if err != nil {
		return nil, err
	}
	upgraded, err := tfprotov6.NewDynamicValue(state.Type(), state)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &upgraded}, err
}

func (*hollow) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: req.CurrentIdentity}, nil
}

func (h *hollow) PlanResourceChange(_ context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	proposed, err := req.ProposedNewState.Unmarshal(h.types[req.TypeName])
	if err != nil || proposed.IsNull() {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate}, err
	}
	var attributes map[string]tftypes.Value
	if err := proposed.As(&attributes); err != nil {
		return nil, err
	}
	for name, value := range computed() {
		if at, ok := attributes[name]; ok && at.IsNull() {
			attributes[name] = value
		}
	}
	planned, err := tfprotov6.NewDynamicValue(proposed.Type(), tftypes.NewValue(proposed.Type(), attributes))
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: &planned, PlannedPrivate: req.PriorPrivate, PlannedIdentity: req.PriorIdentity}, err
}

func (h *hollow) ApplyResourceChange(_ context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	resp := &tfprotov6.ApplyResourceChangeResponse{NewState: req.PlannedState, Private: req.PlannedPrivate, NewIdentity: req.PlannedIdentity}
	if state, err := req.PlannedState.Unmarshal(h.types[req.TypeName]); err != nil || state.IsNull() {
		return resp, err
	}
	resp.Private = []byte(`{"owner":"bm9uY2Utbm9uY2U="}`)
	typ := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String, "namespace": tftypes.String}}
	identity, err := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ, map[string]tftypes.Value{
		"name": tftypes.NewValue(tftypes.String, "policy"), "namespace": tftypes.NewValue(tftypes.String, "istio-egress"),
	}))
	resp.NewIdentity = &tfprotov6.ResourceIdentityData{IdentityData: &identity}
	return resp, err
}

// computed are the values of a policy of one entry and one source: nine
// objects, with a digest each.
func computed() map[string]tftypes.Value {
	text := func(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }
	manifests := map[string]tftypes.Value{}
	for i := range 9 {
		manifests[fmt.Sprintf("AuthorizationPolicy/istio-egress/egressgateway-a-object-%d", i)] = text("sha256:0123456789abcdef0123456789abcdef")
	}
	texts := tftypes.Map{ElementType: tftypes.String}
	return map[string]tftypes.Value{
		"unselected_workloads": text("deny"),
		"gateway_ports": tftypes.NewValue(tftypes.Map{ElementType: tftypes.Number}, map[string]tftypes.Value{
			"api": tftypes.NewValue(tftypes.Number, 10443),
		}),
		"grants": tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, []tftypes.Value{
			text("mytest/app=sleep-a (sa sleep-a) -> api-0.partner.example:443 HTTPS, via istio-egress/egressgateway-a"),
		}),
		"manifests": tftypes.NewValue(texts, manifests),
		"drift":     tftypes.NewValue(texts, map[string]tftypes.Value{}),
	}
}
