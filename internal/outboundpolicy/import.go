package outboundpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ImportState implements resource.ResourceWithImportState. A mode that is set
// can be imported whoever set it; the read that follows fills in the rest.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var identity outbound.Identity
	var err error
	if req.ID != "" {
		identity, err = outbound.ParseImportID(req.ID)
	} else {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		if resp.Diagnostics.HasError() {
			return
		}
		err = identity.Check()
	}
	if err != nil {
		resp.Diagnostics.AddError("Invalid import id", err.Error()+".")
		return
	}
	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	i := instance{r: r, client: client, policy: r.policyOf(identity, req.ID != "")}
	found, err := i.find(ctx)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	resp.Diagnostics.Append(found.imported(ctx, &resp.State)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, found.policy.Identity(r.provider.Mesh))...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, found.record)...)
}

// imported makes the state of a policy that nothing was compared with yet.
func (f found) imported(ctx context.Context, state *tfsdk.State) diag.Diagnostics {
	diags := setIntent(ctx, state, f.policy)
	if !diags.HasError() {
		diags.Append(Computed{
			Object:        types.StringValue(f.object.String()),
			EffectiveFrom: types.ObjectNull(effectiveType),
			PreviousMode:  values.TextOrNull(f.previous),
			Drift:         values.Map(nil),
		}.attributes().Put(ctx, &state.Raw)...)
	}
	return diags
}

// policyOf returns the part of a policy that its identity says. A revision that
// the provider block says too is left to it in an import by identity; an id
// names it only where the configuration does.
func (r *Resource) policyOf(identity outbound.Identity, byID bool) outbound.Policy {
	p := outbound.Policy{Namespace: identity.Namespace}
	switch outbound.Scope(identity.Scope) {
	case outbound.Mesh:
		if identity.Name != nil && (byID || *identity.Name != r.provider.Mesh.Revision) {
			p.Revision = identity.Name
		}
	case outbound.Workload:
		p.Name = identity.Name
		p.WorkloadSelector = map[string]string{}
	}
	return p
}

// setIntent writes the attributes of the intent one by one: a state that is
// made from nothing has no value of `timeouts` to decode into a Model.
func setIntent(ctx context.Context, state *tfsdk.State, p outbound.Policy) diag.Diagnostics {
	var diags diag.Diagnostics
	diags.Append(state.SetAttribute(ctx, path.Root("mode"), p.Mode)...)
	diags.Append(state.SetAttribute(ctx, path.Root("namespace"), p.Namespace)...)
	diags.Append(state.SetAttribute(ctx, path.Root("name"), p.Name)...)
	diags.Append(state.SetAttribute(ctx, path.Root("workload_selector"), p.WorkloadSelector)...)
	diags.Append(state.SetAttribute(ctx, path.Root("revision"), p.Revision)...)
	return diags
}

// nothingToImport is the summary of an error that says that no mode is set.
const nothingToImport = "Nothing to import"

// found is a policy as the cluster has it.
type found struct {
	policy   outbound.Policy
	object   manifest.ID
	previous string
	record   record
}

func (i instance) find(ctx context.Context) (found, error) {
	switch i.policy.Scope() {
	case outbound.Mesh:
		return meshTarget{i}.find(ctx)
	case outbound.Namespace:
		return i.findPlain(ctx)
	}
	id := sidecarID(*i.policy.Namespace, *i.policy.Name)
	live, err := i.client.GlanceObject(ctx, id)
	if err != nil {
		return found{}, err
	}
	if live == nil {
		return found{}, &summaryError{nothingToImport, fmt.Sprintf("%s does not exist.", id)}
	}
	if !isOwn(live) {
		return found{}, &summaryError{"Not a policy of this provider", fmt.Sprintf("%s was not made by an %s: it lacks the annotation %s that says so. "+
			"Of a Sidecar with a selector only the provider's own can be imported.", id, TypeName, cluster.AnnotationOwner)}
	}
	return i.own(live), nil
}

// isOwn reports whether the provider made a Sidecar.
func isOwn(live *unstructured.Unstructured) bool {
	owner, ok := cluster.OwnerOf(live)
	return ok && owner.Resource == TypeName
}

// own is a Sidecar that the provider made.
func (i instance) own(live *unstructured.Unstructured) found {
	owner, _ := cluster.OwnerOf(live)
	p := i.policy
	p.Mode = outbound.ModeOf(live)
	if revision, ok := live.GetLabels()[compile.LabelRevision]; ok && revision != i.r.provider.Mesh.Revision {
		p.Revision = &revision
	}
	if p.Scope() == outbound.Workload {
		labels, _, _ := unstructured.NestedStringMap(live.Object, "spec", "workloadSelector", "labels")
		p.WorkloadSelector = labels
	}
	return found{policy: p, object: sidecarID(live.GetNamespace(), live.GetName()), record: record{Nonce: owner.Nonce}}
}

// findPlain returns the policy of a namespace's Sidecar. Of one that somebody
// else made the mode counts as it stands: destroy leaves it.
func (i instance) findPlain(ctx context.Context) (found, error) {
	sidecars, err := i.sidecars(ctx)
	if err != nil {
		return found{}, err
	}
	namespace := *i.policy.Namespace
	seen := sidecars.Plain(namespace)
	if seen == nil {
		// A Sidecar for another revision than the provider's is not among them. If
		// it is the provider's own, it says which.
		own, err := i.client.GlanceObject(ctx, sidecarID(namespace, outbound.DefaultName))
		if err != nil {
			return found{}, err
		}
		if own != nil && isOwn(own) {
			return i.own(own), nil
		}
		return found{}, &summaryError{nothingToImport, fmt.Sprintf("Namespace %s has no Sidecar without a workload selector.", namespace)}
	}
	// With its managedFields, which a list leaves out.
	live, err := i.client.GlanceObject(ctx, sidecarID(namespace, seen.GetName()))
	if err != nil {
		return found{}, err
	}
	if live == nil {
		return found{}, &cluster.MissingError{ID: sidecarID(namespace, seen.GetName())}
	}
	if isOwn(live) {
		return i.own(live), nil
	}
	mode := fieldTarget{i, live.GetName()}.mode(live)
	if mode == "" {
		return found{}, &summaryError{nothingToImport, fmt.Sprintf("%s says no outboundTrafficPolicy.mode. Create the policy instead: it sets that one field.",
			sidecarID(namespace, live.GetName()))}
	}
	result := found{policy: i.policy, object: sidecarID(namespace, live.GetName()), previous: mode}
	result.policy.Mode = mode
	result.record = record{Nonce: cluster.FieldNonce(live, outbound.ModeField()...), Field: true}
	if result.record.Nonce != "" {
		result.previous = "" // an instance of this provider has set it
	} else {
		result.record.Nonce = cluster.NewNonce()
	}
	return result, nil
}

// find reads the mode of the mesh config. What was there before says the note of
// a policy; without one destroy leaves what the import has found.
func (t meshTarget) find(ctx context.Context) (found, error) {
	live, err := t.client.Get(ctx, t.id())
	if err != nil {
		return found{}, err
	}
	if live == nil {
		return found{}, t.explain(&cluster.MissingError{ID: t.id()})
	}
	text, ok := cluster.TextOf(live, meshconfig.Key)
	if !ok {
		return found{}, t.explain(&cluster.MissingError{ID: t.id(), Key: meshconfig.Key})
	}
	mode, err := t.known(text)
	if err != nil {
		return found{}, t.unreadable(err)
	}
	if mode == "" {
		return found{}, &summaryError{nothingToImport, fmt.Sprintf("%s says no %s. Create the policy instead: it sets that one value.", t.id(), meshField)}
	}
	p := t.policy
	p.Mode = mode
	if n, ok := noteOf(live, mode); ok {
		return found{policy: p, object: t.id(), previous: n.Previous, record: record{Nonce: n.Owner.Nonce}}, nil
	}
	return found{policy: p, object: t.id(), previous: mode, record: record{Nonce: cluster.NewNonce()}}, nil
}
