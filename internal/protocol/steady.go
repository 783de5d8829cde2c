package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/private"
)

// Steady is a resource that answers the calls of which a plan or an apply of
// many instances consists by itself. terraform-plugin-framework walks through
// schema and value about twenty times for each of them, which is most of what
// they cost. To answer false is always right, before anything is said or done:
// the framework is asked then. To answer true is right only where the framework
// would come to that answer.
type Steady interface {
	resource.ResourceWithConfigure
	// ValidatesClean reports whether a configuration has no diagnostics.
	ValidatesClean(ctx context.Context, config tftypes.Value) bool
	// Reads refreshes a state, and leaves the private state as it is. It returns
	// the attributes of the instance's identity, and the error of a refresh that
	// failed.
	Reads(ctx context.Context, state tftypes.Value, from private.Reader) (refreshed tftypes.Value, identity map[string]tftypes.Value, failed diag.Diagnostic, ok bool)
	// PlansSame reports whether the plan is the prior state, which is also what
	// core proposes, without diagnostics.
	PlansSame(ctx context.Context, config, state tftypes.Value, from private.Reader) bool
	// PlansNew plans an instance that is not there yet, of a configuration that
	// core proposes as it is.
	PlansNew(ctx context.Context, config tftypes.Value) (planned tftypes.Value, said diag.Diagnostics, ok bool)
	// Creates makes a planned instance. The state is null, without an identity,
	// if nothing of it exists then.
	Creates(ctx context.Context, planned tftypes.Value, to private.Writer) (state tftypes.Value, identity map[string]tftypes.Value, said diag.Diagnostics, ok bool)
}

// handed is where a provider's Configure leaves what its resources get.
type handed struct{ data any }

type handedKey struct{}

// Configured tells the server what the provider hands to its resources.
// Configure of a provider with steady resources calls it, with its context, unless
// the provider defers everything. A plan of theirs defers nothing by itself.
func Configured(ctx context.Context, resourceData any) {
	if to, ok := ctx.Value(handedKey{}).(*handed); ok {
		to.data = resourceData
	}
}

// ConfigureProvider implements tfprotov6.ProviderServer.
func (s *Server) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	var to handed
	resp, err := s.served.ConfigureProvider(context.WithValue(ctx, handedKey{}, &to), req)
	s.steady.Store(nil)
	if err == nil && to.data != nil {
		s.steady.Store(s.steadyResources(ctx, to.data))
	}
	return resp, err
}

// steadyResources returns the resources that are steady, configured.
func (s *Server) steadyResources(ctx context.Context, data any) *map[string]Steady {
	all := map[string]Steady{}
	for _, newResource := range s.provider.Resources(ctx) {
		r, ok := newResource().(Steady)
		if !ok {
			continue
		}
		var resp resource.ConfigureResponse
		r.Configure(ctx, resource.ConfigureRequest{ProviderData: data}, &resp)
		if resp.Diagnostics.HasError() {
			continue
		}
		var metadata resource.MetadataResponse
		r.Metadata(ctx, resource.MetadataRequest{ProviderTypeName: s.typeName}, &metadata)
		all[metadata.TypeName] = r
	}
	return &all
}

// steadyOf returns a resource that is steady, and configured.
func (s *Server) steadyOf(typeName string) (Steady, bool) {
	all := s.steady.Load()
	if all == nil {
		return nil, false
	}
	r, ok := (*all)[typeName]
	return r, ok
}

// ReadResource implements tfprotov6.ResourceServer.
func (s *Server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if resp := s.reads(ctx, req); resp != nil {
		return resp, nil
	}
	return s.served.ReadResource(ctx, req)
}

func (s *Server) reads(ctx context.Context, req *tfprotov6.ReadResourceRequest) *tfprotov6.ReadResourceResponse {
	r, ok := s.steadyOf(req.TypeName)
	if !ok || req.CurrentState == nil || req.ClientCapabilities != nil && req.ClientCapabilities.DeferralAllowed {
		return nil
	}
	typ, err := s.typeOf(ctx, req.TypeName)
	if err != nil {
		return nil
	}
	state, err := req.CurrentState.Unmarshal(typ)
	kept, known := recordsOf(req.Private)
	if err != nil || state.IsNull() || !known {
		return nil
	}
	ctx, end := s.stoppable(ctx)
	defer end()
	refreshed, attributes, failed, ok := r.Reads(ctx, state, kept)
	if !ok {
		return nil
	}
	resp := &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private}
	if failed != nil {
		resp.Diagnostics = diagnosticsOf(diag.Diagnostics{failed})
	}
	if !refreshed.Equal(state) {
		if resp.NewState, err = encode(refreshed); err != nil {
			return nil
		}
	}
	identity := tftypes.NewValue(s.identities[req.TypeName], attributes)
	if req.CurrentIdentity != nil && req.CurrentIdentity.IdentityData != nil {
		before, err := req.CurrentIdentity.IdentityData.Unmarshal(identity.Type())
		if err != nil || !before.Equal(identity) {
			return nil
		}
		resp.NewIdentity = req.CurrentIdentity
		return resp
	}
	// From a CLI that knows no identities, or a state that is older.
	if resp.NewIdentity, err = identityData(identity); err != nil {
		return nil
	}
	return resp
}

// PlanResourceChange implements tfprotov6.ResourceServer.
func (s *Server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if resp := s.plans(ctx, req); resp != nil {
		return resp, nil
	}
	return s.served.PlanResourceChange(ctx, req)
}

func (s *Server) plans(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) *tfprotov6.PlanResourceChangeResponse {
	r, ok := s.steadyOf(req.TypeName)
	if !ok || req.Config == nil || req.PriorState == nil || req.ProposedNewState == nil {
		return nil
	}
	typ, err := s.typeOf(ctx, req.TypeName)
	if err != nil {
		return nil
	}
	state, err := req.PriorState.Unmarshal(typ)
	if err != nil {
		return nil
	}
	ctx, end := s.stoppable(ctx)
	defer end()
	if state.IsNull() {
		return s.plansNew(ctx, r, typ, req)
	}
	if !proposes(req.ProposedNewState, req.PriorState, typ, state) {
		return nil
	}
	config, err := req.Config.Unmarshal(typ)
	kept, known := recordsOf(req.PriorPrivate)
	if err != nil || !known || !r.PlansSame(ctx, config, state, kept) {
		return nil
	}
	identity, err := plannedIdentity(req, s.identities[req.TypeName])
	if err != nil {
		return nil
	}
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.PriorState, PlannedPrivate: req.PriorPrivate, PlannedIdentity: identity}
}

// proposes reports whether core proposes one of the values that it hands over.
// It encodes equal values alike: attributes, keys and elements of sets in order.
func proposes(proposal, encoded *tfprotov6.DynamicValue, typ tftypes.Type, value tftypes.Value) bool {
	if len(encoded.MsgPack) > 0 && bytes.Equal(encoded.MsgPack, proposal.MsgPack) {
		return true
	}
	proposed, err := proposal.Unmarshal(typ)
	return err == nil && proposed.Equal(value)
}

// UpgradeResourceState implements tfprotov6.ResourceServer. Core calls it for
// each instance of a state, whatever its version; of the schema's own the
// framework decodes the JSON and encodes it again (internal/fwserver,
// server_upgraderesourcestate.go), and puts the type together for it each time.
func (s *Server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	typ, err := s.typeOf(ctx, req.TypeName)
	if err != nil || typ == nil || req.RawState == nil || s.versions[req.TypeName] != req.Version {
		return s.served.UpgradeResourceState(ctx, req)
	}
	state, err := req.RawState.UnmarshalWithOpts(typ, tfprotov6.UnmarshalOpts{
		ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
	})
	if err != nil {
		return s.served.UpgradeResourceState(ctx, req)
	}
	encoded, err := tfprotov6.NewDynamicValue(typ, state)
	if err != nil {
		return s.served.UpgradeResourceState(ctx, req)
	}
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &encoded}, nil
}

// records are the provider's part of an instance's private state.
type records map[string][]byte

// GetKey implements private.Reader.
func (r records) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) { return r[key], nil }

// SetKey implements private.Writer.
func (r records) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	r[key] = value
	return nil
}

// recordsOf decodes private state, a map as JSON (internal/privatestate). It
// reports false where the framework has something of its own in it, under a key
// that begins with a dot: then it matters what call came before.
func recordsOf(text []byte) (records, bool) {
	var all records
	if len(text) == 0 {
		return all, true
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, false
	}
	for key, value := range all {
		if strings.HasPrefix(key, ".") || !json.Valid(value) {
			return nil, false
		}
	}
	return all, true
}
