package gateway

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ModifyPlan implements resource.ResourceWithModifyPlan: it compiles what the
// configuration wants and says what is already known of it. Nothing it says
// depends on the cluster, so that core, which plans again in another process
// during apply, gets the same answer; a look-up only adds diagnostics.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.provider == nil {
		return
	}
	if !r.provider.MeshKnown || !values.KnownBut(req.Plan.Raw, computed) {
		unknown := Computed{
			Facts:     unknownFacts(),
			Addresses: unknownAddresses(),
			Manifests: types.MapUnknown(types.StringType),
			Drift:     values.Map(nil),
		}
		if r.provider.MeshKnown {
			var diags diag.Diagnostics
			unknown.Facts, diags = r.partialFacts(ctx, req.Plan)
			resp.Diagnostics.Append(diags...)
		}
		resp.Diagnostics.Append(unknown.attributes().Put(ctx, &resp.Plan.Raw)...)
		return
	}
	var plan Model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(diagnose.Problems(workload.Validate(plan.Gateway, r.provider.Mesh))...)
	if resp.Diagnostics.HasError() {
		return
	}

	r.provider.PlanGateway(workload.Reference(plan.Gateway, r.provider.Mesh))
	wanted := r.compiled(plan.Gateway)
	if req.State.Raw.IsNull() {
		resp.Diagnostics.Append(wanted.attributes().Put(ctx, &resp.Plan.Raw)...)
		resp.Diagnostics.Append(r.lookUp(ctx, plan.Gateway)...)
		return
	}
	var state Model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if identityOf(state.Gateway) == identityOf(plan.Gateway) {
		wanted.Addresses = keptAddresses(state, plan.Gateway)
	}
	resp.Diagnostics.Append(wanted.attributes().Put(ctx, &resp.Plan.Raw)...)
}

// compiled returns the computed attributes of an intent, but for the
// addresses.
func (r *Resource) compiled(g workload.Gateway) Computed {
	return Computed{
		Facts:     factsOf(g, r.provider.Mesh),
		Addresses: unknownAddresses(),
		Manifests: r.rendered(workload.Objects(g, r.provider.Mesh)),
		Drift:     values.Map(nil),
	}
}

// keptAddresses returns the addresses that an update does not touch. A new
// Service has new ones, another type or family may.
func keptAddresses(state Model, plan workload.Gateway) Addresses {
	kept := state.Addresses
	if _, exists := values.Strings(state.Manifests)[workload.ServiceKey(state.Gateway)]; !exists {
		return unknownAddresses()
	}
	before, after := exposure(state.Service), exposure(plan.Service)
	if !reflect.DeepEqual(before, after) {
		kept.LoadBalancerIngress = types.ListUnknown(ingressType)
	}
	if before.Type != after.Type || !reflect.DeepEqual(before.IPFamilies, after.IPFamilies) ||
		!reflect.DeepEqual(before.IPFamilyPolicy, after.IPFamilyPolicy) {
		kept.ClusterIP = types.StringUnknown()
	}
	return kept
}

// exposure returns the settings of a Service, its type in full.
func exposure(s *workload.Service) struct {
	Type string
	workload.Service
} {
	var settings workload.Service
	if s != nil {
		settings = *s
	}
	kind := workload.ServiceTypes[0]
	if settings.Type != nil {
		kind = *settings.Type
	}
	settings.Type = nil
	return struct {
		Type string
		workload.Service
	}{kind, settings}
}

// partialFacts returns the facts of a plan that is not wholly known: those
// whose own inputs are. Policies depend on them.
func (r *Resource) partialFacts(ctx context.Context, plan tfsdk.Plan) (Facts, diag.Diagnostics) {
	var diags diag.Diagnostics
	var name, namespace, revision, authorization types.String
	var mutualTLS types.Bool
	diags.Append(plan.GetAttribute(ctx, path.Root("name"), &name)...)
	diags.Append(plan.GetAttribute(ctx, path.Root("namespace"), &namespace)...)
	diags.Append(plan.GetAttribute(ctx, path.Root("revision"), &revision)...)
	diags.Append(plan.GetAttribute(ctx, path.Root("authorization"), &authorization)...)
	diags.Append(plan.GetAttribute(ctx, path.Root("mutual_tls"), &mutualTLS)...)
	facts := unknownFacts()
	if diags.HasError() || name.IsUnknown() || namespace.IsUnknown() {
		return facts, diags
	}
	g := workload.Gateway{
		Name: name.ValueString(), Namespace: namespace.ValueString(), Revision: revision.ValueStringPointer(),
		Authorization: authorization.ValueString(), MutualTLS: mutualTLS.ValueBool(),
	}
	r.provider.PlanGateway(workload.Reference(g, r.provider.Mesh))
	known := factsOf(g, r.provider.Mesh)
	facts.ServiceHost, facts.Selector, facts.ServiceAccount = known.ServiceHost, known.Selector, known.ServiceAccount
	if !revision.IsUnknown() && !authorization.IsUnknown() && !mutualTLS.IsUnknown() {
		facts.Reference = known.Reference
	}
	return facts, diags
}

// lookUp asks the cluster, if it can be reached, whether the new gateway
// would meet objects of somebody else.
func (r *Resource) lookUp(ctx context.Context, g workload.Gateway) diag.Diagnostics {
	return r.provider.Lookup(ctx, func(ctx context.Context, client *cluster.Client) error {
		owner := r.provider.Remembered(cluster.Owner{Resource: TypeName, ImportID: identityOf(g).importID(), OwnerID: r.provider.OwnerID})
		_, err := client.Preflight(ctx, cluster.Release{Owner: owner, Objects: workload.Objects(g, r.provider.Mesh)})
		return err
	})
}
