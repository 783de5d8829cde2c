package trafficpolicy

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// A thousand policies are refreshed, planned and created in a fraction of the
// time if the framework is asked only where there is something special: the
// functions of validate.go, read.go, plan.go and create.go are called here on
// values that are decoded once. TestSteadyIsExact and TestCreateIsExact compare
// the answers with the framework's.

var _ protocol.Steady = (*Resource)(nil)

// recorded is what a state says besides the intent and `timeouts`.
type recorded struct {
	GatewayPorts map[string]int64  `tfsdk:"gateway_ports"`
	Grants       []string          `tfsdk:"grants"`
	Manifests    map[string]string `tfsdk:"manifests"`
	Drift        map[string]string `tfsdk:"drift"`
}

// decoders are made once: the schema never changes.
var decoders = sync.OnceValue(func() (d struct {
	intent   values.Decoder[policy.Policy]
	recorded values.Decoder[recorded]
	defaults values.Defaults
}) {
	var resp resource.SchemaResponse
	New().Schema(context.Background(), resource.SchemaRequest{}, &resp)
	d.intent = values.NewDecoder[policy.Policy](resp.Schema.Attributes)
	d.recorded = values.NewDecoder[recorded](resp.Schema.Attributes)
	d.defaults = values.NewDefaults(resp.Schema.Attributes)
	return d
})

// ValidatesClean implements protocol.Steady.
func (r *Resource) ValidatesClean(_ context.Context, config tftypes.Value) bool {
	p, ok := configured(config)
	return ok && !hasEmpty(p) && len(policy.Validate(p, r.mesh())) == 0
}

// configured decodes a configuration that sets the intent and nothing else:
// computed attributes are refused, and `timeouts` have validators of their own.
func configured(config tftypes.Value) (policy.Policy, bool) {
	return intentWithout(config, providerAttributes)
}

// intentWithout decodes the intent if some other attributes are null.
func intentWithout(raw tftypes.Value, names map[string]bool) (policy.Policy, bool) {
	var attributes map[string]tftypes.Value
	if err := raw.As(&attributes); err != nil {
		return policy.Policy{}, false
	}
	for name := range names {
		if !attributes[name].IsNull() {
			return policy.Policy{}, false
		}
	}
	p, err := decoders().intent.Decode(raw)
	return p, err == nil
}

// hasEmpty reports a collection without elements where the schema wants at
// least one. What is required besides, the compiler wants too; a null element
// does not decode.
func hasEmpty(p policy.Policy) bool {
	empty := func(n int, isNil bool) bool { return n == 0 && !isNil }
	if g := p.ByEgressGateway; g != nil && empty(len(g.Selector), g.Selector == nil) {
		return true
	}
	for _, rule := range p.EgressRules {
		for _, from := range rule.From {
			if empty(len(from.ServiceAccounts), from.ServiceAccounts == nil) {
				return true
			}
		}
		for _, to := range rule.To {
			if empty(len(to.Addresses), to.Addresses == nil) || to.TLS != nil && empty(len(to.TLS.SubjectAltNames), to.TLS.SubjectAltNames == nil) {
				return true
			}
		}
	}
	return false
}

// kept decodes a state that has all that a policy has.
func kept(state tftypes.Value) (policy.Policy, recorded, bool) {
	p, ok := intentWithout(state, map[string]bool{"timeouts": true})
	if !ok {
		return p, recorded{}, false
	}
	had, err := decoders().recorded.Decode(state)
	// A null would become a value.
	whole := had.GatewayPorts != nil && had.Grants != nil && had.Manifests != nil && had.Drift != nil
	return p, had, err == nil && whole
}

// model returns what is decoded as the framework would have done it.
func (r recorded) model(p policy.Policy) Model {
	ports := make(map[string]attr.Value, len(r.GatewayPorts))
	for member, port := range r.GatewayPorts {
		ports[member] = types.Int64Value(port)
	}
	return Model{Policy: p, Computed: Computed{
		GatewayPorts: types.MapValueMust(types.Int64Type, ports), Grants: values.Set(r.Grants),
		Manifests: values.Map(r.Manifests), Drift: values.Map(r.Drift),
	}}
}

// Reads implements protocol.Steady.
func (r *Resource) Reads(ctx context.Context, state tftypes.Value, from private.Reader) (tftypes.Value, map[string]tftypes.Value, diag.Diagnostic, bool) {
	p, had, ok := kept(state)
	if !ok || !r.provider.MeshKnown {
		return state, nil, nil, false
	}
	id := identityOf(p)
	owner, diags := r.ownerOf(ctx, from, id)
	if len(diags) > 0 || owner.Nonce == "" {
		return state, nil, nil, false
	}
	client, err := r.provider.Connect()
	if err != nil {
		return state, nil, nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	release, leftover, seen, err := r.observe(ctx, client, had.model(p), owner)
	if err != nil {
		return state, id.attributes(), diagnostic(err), true
	}
	if gone(release, seen) {
		return state, nil, nil, false
	}
	manifests, drift := r.compare(release, leftover, seen)
	if !maps.Equal(manifests, had.Manifests) || !maps.Equal(drift, had.Drift) {
		answers := values.Attributes{"manifests": values.Map(manifests), "drift": values.Map(drift)}
		if diags := answers.Put(ctx, &state); diags.HasError() {
			return state, nil, nil, false
		}
	}
	r.provider.Remember(release.Owner)
	return state, id.attributes(), nil, true
}

// attributes returns the attributes of the identity.
func (i Identity) attributes() map[string]tftypes.Value {
	return map[string]tftypes.Value{
		"namespace": tftypes.NewValue(tftypes.String, i.Namespace), "name": tftypes.NewValue(tftypes.String, i.Name),
	}
}

// PlansSame implements protocol.Steady.
func (r *Resource) PlansSame(ctx context.Context, config, state tftypes.Value, from private.Reader) bool {
	prior, had, ok := kept(state)
	if !ok || !r.provider.MeshKnown {
		return false
	}
	p, ok := configured(config)
	if !ok || !reflect.DeepEqual(p, prior) || len(errorsOf(policy.Validate(p, r.mesh()))) > 0 {
		return false
	}
	model := had.model(prior)
	wanted, diags := r.plan(p, priorPorts(&model, p))
	if len(diags) > 0 || len(wanted.pending) > 0 || !wanted.same(had, r.provider.Detail) {
		return false
	}
	return len(r.lookAround(ctx, from, &model, p, wanted)) == 0
}

// same reports whether a plan says what a state has.
func (w planned) same(had recorded, detail manifest.Detail) bool {
	members := w.members()
	if len(had.Drift) > 0 || len(members) != len(had.GatewayPorts) || len(w.objects) != len(had.Manifests) {
		return false
	}
	for _, member := range members {
		port, settled := w.ports[member]
		if before, ok := had.GatewayPorts[member]; !ok || !settled || before != port {
			return false
		}
	}
	for _, object := range w.objects {
		if had.Manifests[object.Key] != detail.Render(object.Body) {
			return false
		}
	}
	return slices.Equal(slices.Sorted(slices.Values(w.grants)), slices.Sorted(slices.Values(had.Grants)))
}

// PlansNew implements protocol.Steady.
func (r *Resource) PlansNew(ctx context.Context, config tftypes.Value) (tftypes.Value, diag.Diagnostics, bool) {
	p, ok := configured(config)
	if !ok || len(errorsOf(policy.Validate(p, r.mesh()))) > 0 {
		return config, nil, false
	}
	wanted, diags := r.plan(p, nil)
	planned := decoders().defaults(config)
	diags.Append(wanted.computed(r.provider.Detail).attributes().Put(ctx, &planned)...)
	if len(diags) > 0 {
		return config, nil, false
	}
	if r.provider.MeshKnown {
		diags = r.lookAround(ctx, nil, nil, p, wanted)
	}
	return planned, diags, true
}

// Creates implements protocol.Steady.
func (r *Resource) Creates(ctx context.Context, planned tftypes.Value, to private.Writer) (tftypes.Value, map[string]tftypes.Value, diag.Diagnostics, bool) {
	p, ok := intentWithout(planned, map[string]bool{"timeouts": true})
	if !ok {
		return planned, nil, nil, false
	}
	made, owner, diags := r.establish(ctx, p, defaultWriteTimeout)
	if made == nil {
		return tftypes.NewValue(planned.Type(), nil), nil, diags, true
	}
	diags.Append(made.computed(r.provider.Detail).attributes().Put(ctx, &planned)...)
	diags.Append(private.Write(ctx, to, owner.Nonce)...)
	return planned, identityOf(p).attributes(), diags, true
}
