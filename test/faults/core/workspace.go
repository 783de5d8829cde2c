package core

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Workspace is a state of one resource instance, and what it takes to change
// it. It is not safe for concurrent use.
type Workspace struct {
	// Start starts a provider process.
	Start Start
	// Provider is the provider block.
	Provider Object
	// Type is the resource type.
	Type string
	// BeforeApply, if set, is called between plan and apply.
	BeforeApply func()

	// NoRefresh is -refresh=false.
	NoRefresh bool
	// Replace is -replace of the instance.
	Replace bool

	// Exists is whether the state has the instance.
	Exists bool
	// Tainted is set for an instance whose create failed.
	Tainted bool

	state    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
}

// State returns the instance's attributes, nil if there is none.
func (w *Workspace) State() Object {
	if !w.Exists {
		return nil
	}
	object, _ := decode(w.state).(Object)
	return object
}

// Strings returns a map attribute of strings.
func (w *Workspace) Strings(attribute string) map[string]string {
	found := map[string]string{}
	object, _ := w.State()[attribute].(Object)
	for key, value := range object {
		found[key] = fmt.Sprint(value)
	}
	return found
}

// Save returns the state as it is now, for Restore.
func (w *Workspace) Save() Workspace { return *w }

// Restore puts a saved state back, as a killed process leaves it.
func (w *Workspace) Restore(saved Workspace) {
	w.Exists, w.Tainted, w.state, w.private, w.identity = saved.Exists, saved.Tainted, saved.state, saved.private, saved.identity
}

// Raise puts another value for an attribute into the state, as the apply of one
// that changes nothing else does.
func (w *Workspace) Raise(attribute string, data Object) {
	var values map[string]tftypes.Value
	if !w.Exists || w.state.As(&values) != nil {
		return
	}
	values = maps.Clone(values)
	var plain any
	if data != nil {
		plain = data
	}
	value, err := encode(values[attribute].Type(), plain)
	if err != nil {
		panic(err)
	}
	values[attribute] = value
	w.state = tftypes.NewValue(w.state.Type(), values)
}

// Action is what a plan is about to do.
type Action string

// Actions of a plan.
const (
	NoOp    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Destroy Action = "destroy"
)

// Plan is a plan of the instance.
type Plan struct {
	Action  Action
	planned tftypes.Value
	private []byte
	config  tftypes.Value
}

// Refresh reads the instance, in a process of its own.
func (w *Workspace) Refresh(ctx context.Context) Diagnostics {
	p, diags := w.start(ctx)
	if len(diags.Errors()) > 0 {
		return diags
	}
	return append(diags, w.refresh(ctx, p)...)
}

func (w *Workspace) refresh(ctx context.Context, p *process) Diagnostics {
	if !w.Exists {
		return nil
	}
	k, err := p.kind(w.Type)
	if err != nil {
		return failure("no such resource", err.Error())
	}
	resp, err := p.wire.ReadResource(ctx, &tfprotov6.ReadResourceRequest{
		TypeName: w.Type, CurrentState: k.wire(w.state), Private: w.private, CurrentIdentity: w.identity,
	})
	if err != nil {
		return plain(nil, err)
	}
	diags := plain(resp.Diagnostics, nil)
	if len(diags.Errors()) > 0 {
		return diags
	}
	w.keep(k.unwire(resp.NewState), resp.Private, resp.NewIdentity)
	return diags
}

// keep takes an answer into the state.
func (w *Workspace) keep(state tftypes.Value, private []byte, identity *tfprotov6.ResourceIdentityData) {
	if state.IsNull() {
		w.Exists, w.Tainted, w.state, w.private, w.identity = false, false, tftypes.Value{}, nil, nil
		return
	}
	w.Exists, w.state, w.private, w.identity = true, state, private, identity
}

// Plan refreshes and plans, as `terraform plan` does. A nil config plans the
// instance's end. A plan that fails leaves the state alone.
func (w *Workspace) Plan(ctx context.Context, config Object) (Plan, Diagnostics) {
	before := w.Save()
	plan, diags := w.refreshAndPlan(ctx, config)
	if len(diags.Errors()) > 0 {
		w.Restore(before)
	}
	return plan, diags
}

func (w *Workspace) refreshAndPlan(ctx context.Context, config Object) (Plan, Diagnostics) {
	p, diags := w.start(ctx)
	if len(diags.Errors()) > 0 {
		return Plan{}, diags
	}
	if !w.NoRefresh {
		diags = append(diags, w.refresh(ctx, p)...)
	}
	if len(diags.Errors()) > 0 {
		return Plan{}, diags
	}
	plan, more := w.plan(ctx, p, config)
	return plan, append(diags, more...)
}

// plan plans without a refresh.
func (w *Workspace) plan(ctx context.Context, p *process, config Object) (Plan, Diagnostics) {
	k, err := p.kind(w.Type)
	if err != nil {
		return Plan{}, failure("no such resource", err.Error())
	}
	prior := k.null()
	if w.Exists {
		prior = w.state
	}
	if config == nil {
		return w.planDestroy(ctx, p, k, prior)
	}
	value, err := encode(k.typ, config)
	if err != nil {
		return Plan{}, failure("the configuration is wrong", err.Error())
	}
	checked, err := p.wire.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: w.Type, Config: k.wire(value)})
	if err != nil {
		return Plan{}, plain(nil, err)
	}
	diags := plain(checked.Diagnostics, nil)
	if len(diags.Errors()) > 0 {
		return Plan{}, diags
	}
	private := w.private
	if w.Tainted {
		prior, private = k.null(), nil
	}
	plan, replace, more := w.change(ctx, p, k, value, prior, private)
	diags = append(diags, more...)
	switch {
	case len(diags.Errors()) > 0:
		return Plan{}, diags
	case w.Tainted:
		plan.Action = Replace
	case !w.Exists:
		plan.Action = Create
	case replace, w.Replace:
		plan, _, more = w.change(ctx, p, k, value, k.null(), nil)
		diags = append(diags, more...)
		plan.Action = Replace
	case plan.planned.Equal(w.state):
		plan.Action = NoOp
	default:
		plan.Action = Update
	}
	return plan, diags
}

// change plans a create or an update, twice: the answers have to be the same.
func (w *Workspace) change(ctx context.Context, p *process, k kind, config, prior tftypes.Value, private []byte) (Plan, bool, Diagnostics) {
	identity := w.identity
	if prior.IsNull() {
		identity = nil
	}
	request := &tfprotov6.PlanResourceChangeRequest{
		TypeName: w.Type, PriorState: k.wire(prior), Config: k.wire(config), ProposedNewState: k.wire(k.proposed(config, prior)),
		PriorPrivate: private, PriorIdentity: identity,
	}
	resp, err := p.wire.PlanResourceChange(ctx, request)
	if err != nil {
		return Plan{}, false, plain(nil, err)
	}
	diags := plain(resp.Diagnostics, nil)
	if len(diags.Errors()) > 0 {
		return Plan{}, false, diags
	}
	return Plan{planned: k.unwire(resp.PlannedState), private: resp.PlannedPrivate, config: config}, len(resp.RequiresReplace) > 0, diags
}

func (w *Workspace) planDestroy(ctx context.Context, p *process, k kind, prior tftypes.Value) (Plan, Diagnostics) {
	if !w.Exists {
		return Plan{Action: NoOp}, nil
	}
	resp, err := p.wire.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{
		TypeName: w.Type, PriorState: k.wire(prior), Config: k.wire(k.null()), ProposedNewState: k.wire(k.null()),
		PriorPrivate: w.private, PriorIdentity: w.identity,
	})
	if err != nil {
		return Plan{}, plain(nil, err)
	}
	return Plan{Action: Destroy, planned: k.null(), config: k.null(), private: resp.PlannedPrivate}, plain(resp.Diagnostics, nil)
}

// Apply plans and applies, as `terraform apply` does; a nil config destroys.
func (w *Workspace) Apply(ctx context.Context, config Object) Diagnostics {
	plan, diags := w.Plan(ctx, config)
	if len(diags.Errors()) > 0 {
		return diags
	}
	if w.BeforeApply != nil {
		w.BeforeApply()
	}
	return append(diags, w.Execute(ctx, plan, config)...)
}

// Execute applies a plan in a new provider process.
func (w *Workspace) Execute(ctx context.Context, plan Plan, config Object) Diagnostics {
	if plan.Action == NoOp {
		return nil
	}
	p, diags := w.start(ctx)
	if len(diags.Errors()) > 0 {
		return diags
	}
	k, err := p.kind(w.Type)
	if err != nil {
		return failure("no such resource", err.Error())
	}
	if plan.Action == Replace {
		// Core destroys with the planned private state of what comes instead.
		diags = append(diags, w.execute(ctx, p, k, Plan{Action: Destroy, planned: k.null(), config: k.null(), private: plan.private})...)
		if len(diags.Errors()) > 0 {
			return diags
		}
	}
	if plan.Action != Destroy {
		again, more := w.plan(ctx, p, config)
		diags = append(diags, more...)
		if len(diags.Errors()) > 0 {
			return diags
		}
		if text := contradiction(decode(plan.planned), decode(again.planned), ""); text != "" {
			return append(diags, failure("Provider produced inconsistent final plan", text)...)
		}
		again.Action = plan.Action
		plan = again
	}
	return append(diags, w.execute(ctx, p, k, plan)...)
}

func (w *Workspace) execute(ctx context.Context, p *process, k kind, plan Plan) Diagnostics {
	prior := k.null()
	if w.Exists {
		prior = w.state
	}
	existed := w.Exists
	resp, err := p.wire.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{
		TypeName: w.Type, PriorState: k.wire(prior), PlannedState: k.wire(plan.planned), Config: k.wire(plan.config),
		PlannedPrivate: plan.private, PlannedIdentity: w.identity,
	})
	if err != nil {
		return plain(nil, err)
	}
	diags := plain(resp.Diagnostics, nil)
	state := k.unwire(resp.NewState)
	failed := len(diags.Errors()) > 0
	switch {
	case !failed && plan.Action == Destroy && !state.IsNull():
		diags = append(diags, failure("Provider returned invalid result object after apply", "there is still a state after the destroy")...)
	case !failed && plan.Action != Destroy:
		if !state.IsFullyKnown() {
			diags = append(diags, failure("Provider returned invalid result object after apply", "a value is still unknown")...)
		}
		if text := contradiction(decode(plan.planned), decode(state), ""); text != "" {
			diags = append(diags, failure("Provider produced inconsistent result after apply", text)...)
		}
	case failed && existed && state.IsNull() && plan.Action != Destroy:
		state = prior // an update that answers no state keeps the old one
	}
	w.keep(state, resp.Private, resp.NewIdentity)
	if w.Exists {
		w.Tainted = failed && (!existed || w.Tainted && plan.Action != Update)
	}
	return diags
}

// Import reads an instance by its id into an empty state.
func (w *Workspace) Import(ctx context.Context, id string) Diagnostics {
	p, diags := w.start(ctx)
	if len(diags.Errors()) > 0 {
		return diags
	}
	k, err := p.kind(w.Type)
	if err != nil {
		return failure("no such resource", err.Error())
	}
	resp, err := p.wire.ImportResourceState(ctx, &tfprotov6.ImportResourceStateRequest{TypeName: w.Type, ID: id})
	if err != nil {
		return append(diags, plain(nil, err)...)
	}
	diags = append(diags, plain(resp.Diagnostics, nil)...)
	if len(diags.Errors()) > 0 {
		return diags
	}
	if len(resp.ImportedResources) != 1 {
		return append(diags, failure("import", fmt.Sprintf("%d resources", len(resp.ImportedResources)))...)
	}
	imported := resp.ImportedResources[0]
	fresh := Workspace{Type: w.Type}
	fresh.keep(k.unwire(imported.State), imported.Private, imported.Identity)
	more := fresh.refresh(ctx, p)
	diags = append(diags, more...)
	if len(more.Errors()) > 0 {
		return diags
	}
	if !fresh.Exists {
		return append(diags, failure("Cannot import non-existent remote object", id)...)
	}
	w.Restore(fresh)
	return diags
}

// Text returns everything that the state file would hold, and private state.
func (w *Workspace) Text() string {
	return strings.Join([]string{fmt.Sprint(decode(w.state)), string(w.private)}, "\n")
}
