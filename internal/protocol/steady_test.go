package protocol

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/private"
)

// steadySample is a provider whose one resource says what it is told to of
// each call. Asked by the framework, it warns.
type steadySample struct {
	sample
	same   bool
	failed diag.Diagnostic
	// waits lets a create wait to be stopped; it is closed when that begins.
	waits chan struct{}
}

func (p steadySample) Configure(ctx context.Context, _ provider.ConfigureRequest, _ *provider.ConfigureResponse) {
	Configured(ctx, "settings")
}

func (p steadySample) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &steadyResource{same: p.same, failed: p.failed, waits: p.waits} }}
}

type steadyResource struct {
	sampleResource
	same       bool
	failed     diag.Diagnostic
	configured bool
	waits      chan struct{}
}

func (*steadyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Version: 3, Attributes: map[string]schema.Attribute{"name": schema.StringAttribute{Required: true}}}
}

func (*steadyResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"name": identityschema.StringAttribute{RequiredForImport: true},
	}}
}

func (r *steadyResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.configured = req.ProviderData == "settings"
}

func (*steadyResource) ValidateConfig(_ context.Context, _ resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	resp.Diagnostics.AddWarning("framework", "")
}

func (*steadyResource) Read(ctx context.Context, _ resource.ReadRequest, resp *resource.ReadResponse) {
	resp.Diagnostics.AddWarning("framework", "")
	resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root("name"), "a")...)
}

func (*steadyResource) ModifyPlan(_ context.Context, _ resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	resp.Diagnostics.AddWarning("framework", "")
}

func (*steadyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.Diagnostics.AddWarning("framework", "")
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root("name"), "a")...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, "nonce")...)
}

func (r *steadyResource) ValidatesClean(context.Context, tftypes.Value) bool {
	return r.configured && r.same
}

func (r *steadyResource) Reads(_ context.Context, state tftypes.Value, _ private.Reader) (tftypes.Value, map[string]tftypes.Value, diag.Diagnostic, bool) {
	var attributes map[string]tftypes.Value
	_ = state.As(&attributes)
	return state, attributes, r.failed, r.configured && r.same
}

func (r *steadyResource) PlansNew(_ context.Context, config tftypes.Value) (tftypes.Value, diag.Diagnostics, bool) {
	return config, nil, r.configured && r.same
}

func (r *steadyResource) Creates(ctx context.Context, planned tftypes.Value, to private.Writer) (tftypes.Value, map[string]tftypes.Value, diag.Diagnostics, bool) {
	if !r.configured || !r.same {
		return planned, nil, nil, false
	}
	if r.failed != nil {
		return tftypes.NewValue(planned.Type(), nil), nil, diag.Diagnostics{r.failed}, true
	}
	if r.waits != nil {
		close(r.waits)
		<-ctx.Done()
	}
	_ = private.Write(ctx, to, "nonce")
	var attributes map[string]tftypes.Value
	_ = planned.As(&attributes)
	return planned, attributes, nil, true
}

func (r *steadyResource) PlansSame(context.Context, tftypes.Value, tftypes.Value, private.Reader) bool {
	return r.configured && r.same
}

var steadyType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"name": tftypes.String}}

func named(t *testing.T, name any) *tfprotov6.DynamicValue {
	t.Helper()
	value, err := tfprotov6.NewDynamicValue(steadyType, tftypes.NewValue(steadyType, map[string]tftypes.Value{"name": tftypes.NewValue(tftypes.String, name)}))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// newSteady returns a configured server.
func newSteady(t *testing.T, p steadySample) tfprotov6.ProviderServer {
	t.Helper()
	server, err := New(p)()
	if err != nil {
		t.Fatal(err)
	}
	empty, err := tfprotov6.NewDynamicValue(tftypes.Object{}, tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &empty}); err != nil {
		t.Fatal(err)
	}
	return server
}

// The framework is asked unless the resource answers for all there is to know.
func TestWhoIsAsked(t *testing.T) {
	a := &tfprotov6.ResourceIdentityData{IdentityData: named(t, "a")}
	b := &tfprotov6.ResourceIdentityData{IdentityData: named(t, "b")}
	read := func(change func(*tfprotov6.ReadResourceRequest)) func(tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
		return func(s tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
			req := &tfprotov6.ReadResourceRequest{TypeName: "sample", CurrentState: named(t, "a"), CurrentIdentity: a}
			change(req)
			resp, err := s.ReadResource(t.Context(), req)
			if err == nil && (resp.NewIdentity == nil || resp.NewIdentity.IdentityData == nil) {
				t.Error("no identity")
			}
			return resp.Diagnostics, err
		}
	}
	plan := func(change func(*tfprotov6.PlanResourceChangeRequest)) func(tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
		return func(s tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
			req := &tfprotov6.PlanResourceChangeRequest{TypeName: "sample", Config: named(t, "a"), PriorState: named(t, "a"), ProposedNewState: named(t, "a"), PriorIdentity: a}
			change(req)
			resp, err := s.PlanResourceChange(t.Context(), req)
			if err == nil && resp.PlannedIdentity == nil {
				t.Error("no identity")
			}
			return resp.Diagnostics, err
		}
	}
	apply := func(change func(*tfprotov6.ApplyResourceChangeRequest)) func(tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
		return func(s tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
			req := creation(t)
			change(req)
			resp, err := s.ApplyResourceChange(t.Context(), req)
			if err == nil {
				identity, _ := resp.NewIdentity.IdentityData.Unmarshal(steadyType)
				wanted, _ := named(t, "a").Unmarshal(steadyType)
				state, _ := resp.NewState.Unmarshal(steadyType)
				if !identity.Equal(wanted) || !state.Equal(wanted) || string(resp.Private) != `{"owner":"Im5vbmNlIg=="}` {
					t.Errorf("created %s, %s, %s", state, identity, resp.Private)
				}
			}
			return resp.Diagnostics, err
		}
	}
	for name, c := range map[string]struct {
		call  func(tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error)
		short bool
	}{
		"validation": {func(s tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
			resp, err := s.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: "sample", Config: named(t, "a")})
			return resp.Diagnostics, err
		}, true},
		"validation of what is not known": {func(s tfprotov6.ProviderServer) ([]*tfprotov6.Diagnostic, error) {
			resp, err := s.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: "sample", Config: named(t, tftypes.UnknownValue)})
			return resp.Diagnostics, err
		}, false},
		"read":                     {read(func(*tfprotov6.ReadResourceRequest) {}), true},
		"read, no identity so far": {read(func(req *tfprotov6.ReadResourceRequest) { req.CurrentIdentity = nil }), true},
		"read, with private state": {read(func(req *tfprotov6.ReadResourceRequest) { req.Private = []byte(`{"owner":"Ingi"}`) }), true},
		"read, another identity":   {read(func(req *tfprotov6.ReadResourceRequest) { req.CurrentIdentity = b }), false},
		"read after an import":     {read(func(req *tfprotov6.ReadResourceRequest) { req.Private = []byte(`{".import_before_read":"dHJ1ZQ=="}`) }), false},
		"read that may be deferred": {read(func(req *tfprotov6.ReadResourceRequest) {
			req.ClientCapabilities = &tfprotov6.ReadResourceClientCapabilities{DeferralAllowed: true}
		}), false},
		"plan":                     {plan(func(*tfprotov6.PlanResourceChangeRequest) {}), true},
		"plan, no identity so far": {plan(func(req *tfprotov6.PlanResourceChangeRequest) { req.PriorIdentity = nil }), true},
		"plan of something else":   {plan(func(req *tfprotov6.PlanResourceChangeRequest) { req.ProposedNewState = named(t, "b") }), false},
		"plan of a create":         {plan(func(req *tfprotov6.PlanResourceChangeRequest) { req.PriorState = null(t); req.PriorIdentity = nil }), true},
		"plan of a create, again during apply": {plan(func(req *tfprotov6.PlanResourceChangeRequest) {
			req.PriorState, req.PriorIdentity = null(t), &tfprotov6.ResourceIdentityData{IdentityData: null(t)}
		}), true},
		"plan of a create that core proposes otherwise": {plan(func(req *tfprotov6.PlanResourceChangeRequest) {
			req.PriorState, req.PriorIdentity, req.ProposedNewState = null(t), nil, named(t, "b")
		}), false},
		"plan of a create with private state": {plan(func(req *tfprotov6.PlanResourceChangeRequest) {
			req.PriorState, req.PriorIdentity, req.PriorPrivate = null(t), nil, []byte(`{"owner":"Ingi"}`)
		}), false},
		"create": {apply(func(*tfprotov6.ApplyResourceChangeRequest) {}), true},
		"plan that may be deferred": {plan(func(req *tfprotov6.PlanResourceChangeRequest) {
			req.ClientCapabilities = &tfprotov6.PlanResourceChangeClientCapabilities{DeferralAllowed: true}
		}), true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, same := range []bool{true, false} {
				diags, err := c.call(newSteady(t, steadySample{same: same}))
				if err != nil {
					t.Fatal(err)
				}
				if short := len(diags) == 0; short != (c.short && same) {
					t.Errorf("the resource says same: %t, the framework was asked: %t", same, !short)
				}
			}
		})
	}
}

func creation(t *testing.T) *tfprotov6.ApplyResourceChangeRequest {
	return &tfprotov6.ApplyResourceChangeRequest{TypeName: "sample", Config: named(t, "a"), PriorState: null(t), PlannedState: named(t, "a")}
}

// Of a create that has written nothing nothing is kept.
func TestFailedCreate(t *testing.T) {
	failed := diag.NewAttributeErrorDiagnostic(path.Root("name").AtListIndex(1).AtMapKey("k"), "taken", "by whom")
	server := newSteady(t, steadySample{same: true, failed: failed})
	resp, err := server.ApplyResourceChange(t.Context(), creation(t))
	if err != nil {
		t.Fatal(err)
	}
	state, _ := resp.NewState.Unmarshal(steadyType)
	identity, _ := resp.NewIdentity.IdentityData.Unmarshal(steadyType)
	if !state.IsNull() || !identity.IsNull() || resp.Private != nil {
		t.Errorf("kept %s, %s, %s", state, identity, resp.Private)
	}
	at := tftypes.NewAttributePath().WithAttributeName("name").WithElementKeyInt(1).WithElementKeyString("k")
	if len(resp.Diagnostics) != 1 || !resp.Diagnostics[0].Attribute.Equal(at) || resp.Diagnostics[0].Detail != "by whom" {
		t.Errorf("%+v", resp.Diagnostics)
	}
}

// A command that is interrupted ends the calls that are under way, and no later
// ones: a provider that is being debugged serves the next command.
func TestStop(t *testing.T) {
	waits := make(chan struct{})
	server := newSteady(t, steadySample{same: true, waits: waits})
	go func() {
		<-waits
		if _, err := server.StopProvider(context.Background(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Error(err)
		}
	}()
	if _, err := server.ApplyResourceChange(t.Context(), creation(t)); err != nil {
		t.Fatal(err)
	}
	ctx, end := server.(*Server).stoppable(t.Context())
	defer end()
	if ctx.Err() != nil {
		t.Error("a call that came after the interruption has ended with it")
	}
}

// A refresh that fails is not tried again by the framework.
func TestFailedRead(t *testing.T) {
	server := newSteady(t, steadySample{same: true, failed: diag.NewErrorDiagnostic("unreachable", "why")})
	state := named(t, "a")
	resp, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "sample", CurrentState: state})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Diagnostics) != 1 || resp.Diagnostics[0].Summary != "unreachable" || resp.Diagnostics[0].Severity != tfprotov6.DiagnosticSeverityError || resp.NewState != state {
		t.Errorf("%+v", resp)
	}
}

func null(t *testing.T) *tfprotov6.DynamicValue {
	t.Helper()
	value, err := tfprotov6.NewDynamicValue(steadyType, tftypes.NewValue(steadyType, nil))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// A state of the schema's own version is what the framework makes of it; any
// other is the framework's business.
func TestUpgradeOfTheOwnVersion(t *testing.T) {
	ours := newSteady(t, steadySample{same: true})
	for text, version := range map[string]int64{`{"name":"a"}`: 3, `{"name":null,"gone":1}`: 3, `{"name":1}`: 3, `{`: 3, `{"name":"b"}`: 2} {
		req := &tfprotov6.UpgradeResourceStateRequest{TypeName: "sample", Version: version, RawState: &tfprotov6.RawState{JSON: []byte(text)}}
		got, err := ours.UpgradeResourceState(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ours.(*Server).served.UpgradeResourceState(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Diagnostics) != len(want.Diagnostics) || (got.UpgradedState == nil) != (want.UpgradedState == nil) {
			t.Errorf("%s: %v, want %v", text, got.Diagnostics, want.Diagnostics)
			continue
		}
		if got.UpgradedState == nil {
			continue
		}
		is, _ := got.UpgradedState.Unmarshal(steadyType)
		should, _ := want.UpgradedState.Unmarshal(steadyType)
		if !is.Equal(should) {
			t.Errorf("%s: %s, want %s", text, is, should)
		}
	}
}
