package protocol

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// plansNew plans an instance that is not there yet. Its prior identity, which
// core hands in when it plans again during apply, is null.
func (s *Server) plansNew(ctx context.Context, r Steady, typ tftypes.Type, req *tfprotov6.PlanResourceChangeRequest) *tfprotov6.PlanResourceChangeResponse {
	config, err := req.Config.Unmarshal(typ)
	if err != nil || config.IsNull() || len(req.PriorPrivate) > 0 ||
		!proposes(req.ProposedNewState, req.Config, typ, config) {
		return nil
	}
	identity, err := plannedIdentity(req, s.identities[req.TypeName])
	if err != nil {
		return nil
	}
	planned, said, ok := r.PlansNew(ctx, config)
	if !ok {
		return nil
	}
	resp := &tfprotov6.PlanResourceChangeResponse{PlannedIdentity: identity, Diagnostics: diagnosticsOf(said)}
	if resp.PlannedState, err = encode(planned); err != nil {
		return nil
	}
	return resp
}

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s *Server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	if resp, err := s.creates(ctx, req); resp != nil || err != nil {
		return resp, err
	}
	return s.served.ApplyResourceChange(ctx, req)
}

// creates makes a planned instance. Both answers are nil where the framework has
// to be asked; once the resource has been, it is not.
func (s *Server) creates(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	r, ok := s.steadyOf(req.TypeName)
	if !ok || req.PriorState == nil || req.PlannedState == nil {
		return nil, nil
	}
	typ, err := s.typeOf(ctx, req.TypeName)
	if err != nil {
		return nil, nil
	}
	prior, err := req.PriorState.Unmarshal(typ)
	if err != nil || !prior.IsNull() {
		return nil, nil
	}
	planned, err := req.PlannedState.Unmarshal(typ)
	if err != nil || planned.IsNull() {
		return nil, nil
	}
	ctx, end := s.stoppable(ctx)
	defer end()
	kept := records{}
	state, attributes, said, ok := r.Creates(ctx, planned, kept)
	if !ok {
		return nil, nil
	}
	resp := &tfprotov6.ApplyResourceChangeResponse{Diagnostics: diagnosticsOf(said)}
	if resp.NewState, err = encode(state); err != nil {
		return nil, err
	}
	identity := tftypes.NewValue(s.identities[req.TypeName], nil)
	if attributes != nil {
		identity = tftypes.NewValue(identity.Type(), attributes)
	}
	if resp.NewIdentity, err = identityData(identity); err != nil {
		return nil, err
	}
	if len(kept) > 0 {
		resp.Private, err = json.Marshal(kept)
	}
	return resp, err
}

func encode(value tftypes.Value) (*tfprotov6.DynamicValue, error) {
	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	return &encoded, err
}

// plannedIdentity is the prior one, null where there is none.
func plannedIdentity(req *tfprotov6.PlanResourceChangeRequest, typ tftypes.Type) (*tfprotov6.ResourceIdentityData, error) {
	if req.PriorIdentity != nil {
		return req.PriorIdentity, nil
	}
	return identityData(tftypes.NewValue(typ, nil))
}

func identityData(identity tftypes.Value) (*tfprotov6.ResourceIdentityData, error) {
	encoded, err := encode(identity)
	return &tfprotov6.ResourceIdentityData{IdentityData: encoded}, err
}

// diagnosticsOf puts diagnostics into the protocol's form.
func diagnosticsOf(said diag.Diagnostics) []*tfprotov6.Diagnostic {
	var all []*tfprotov6.Diagnostic
	for _, d := range said {
		told := &tfprotov6.Diagnostic{Severity: tfprotov6.DiagnosticSeverityError, Summary: d.Summary(), Detail: d.Detail()}
		if d.Severity() == diag.SeverityWarning {
			told.Severity = tfprotov6.DiagnosticSeverityWarning
		}
		if at, ok := d.(diag.DiagnosticWithPath); ok {
			told.Attribute = attributePath(at.Path())
		}
		all = append(all, told)
	}
	return all
}

// attributePath puts a path into the protocol's form. A path into a set, which
// no attribute of ours has, ends at the set.
func attributePath(at path.Path) *tftypes.AttributePath {
	steps := tftypes.NewAttributePath()
	for _, step := range at.Steps() {
		switch step := step.(type) {
		case path.PathStepAttributeName:
			steps = steps.WithAttributeName(string(step))
		case path.PathStepElementKeyInt:
			steps = steps.WithElementKeyInt(int(step))
		case path.PathStepElementKeyString:
			steps = steps.WithElementKeyString(string(step))
		default:
			return steps
		}
	}
	return steps
}
