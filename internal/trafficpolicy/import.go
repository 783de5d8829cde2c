package trafficpolicy

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/internal/private"
)

// ImportState implements resource.ResourceWithImportState. The policy's
// Service carries the intent as JSON, its Gateways the ports; the read that
// follows compares the rest.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	identity, ok := parseImportID(req.ID)
	if req.ID != "" && !ok {
		resp.Diagnostics.AddError("Invalid import id", fmt.Sprintf(
			"%q is not of the form namespace/name: the namespace of the egress gateway and the name of the policy, such as %s/payments.",
			req.ID, defaultGatewayNamespace))
		return
	}
	if req.ID == "" {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	found, err := find(ctx, client, identity)
	if err != nil {
		resp.Diagnostics.Append(diagnostic(err))
		return
	}
	resp.Diagnostics.Append(r.imported(ctx, &resp.State, found)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, found.owner.Nonce)...)
}

// parseImportID is the inverse of Identity.importID.
func parseImportID(id string) (Identity, bool) {
	namespace, name, ok := strings.Cut(id, "/")
	return Identity{Namespace: namespace, Name: name}, ok && namespace != "" && name != "" && !strings.Contains(name, "/")
}

// imported makes the state of a policy that nothing was compared with yet.
func (r *Resource) imported(ctx context.Context, state *tfsdk.State, found found) diag.Diagnostics {
	diags := setIntent(ctx, state, found.policy)
	if !diags.HasError() {
		diags.Append(found.computed(r.provider.Detail).attributes().Put(ctx, &state.Raw)...)
	}
	return diags
}

// setIntent writes the attributes of the intent one by one: a state that is
// made from nothing has no value of `timeouts` to decode into a Model.
func setIntent(ctx context.Context, state *tfsdk.State, p policy.Policy) diag.Diagnostics {
	var diags diag.Diagnostics
	diags.Append(state.SetAttribute(ctx, path.Root("name"), p.Name)...)
	if p.ByEgressGateway != nil {
		diags.Append(state.SetAttribute(ctx, path.Root("by_egress_gateway"), p.ByEgressGateway)...)
	}
	diags.Append(state.SetAttribute(ctx, path.Root("revision"), p.Revision)...)
	diags.Append(state.SetAttribute(ctx, path.Root("unselected_workloads"), p.UnselectedWorkloads)...)
	diags.Append(state.SetAttribute(ctx, path.Root("egress_rules"), p.EgressRules)...)
	return diags
}

// found is a policy as the cluster has it.
type found struct {
	existing
	policy policy.Policy
	owner  cluster.Owner
}

// find reads a policy back from its Service and its Gateways.
func find(ctx context.Context, client *cluster.Client, identity Identity) (found, error) {
	id := manifest.ID{GVK: serviceGVK, Namespace: identity.Namespace, Name: policy.ServiceName(identity.Name)}
	record, err := client.Get(ctx, id)
	if err == nil && record == nil {
		record, err = directRecord(ctx, client, identity)
	}
	if err != nil {
		return found{}, err
	}
	if record == nil {
		return found{}, &summaryError{"Nothing to import", fmt.Sprintf("%s does not exist, and no ServiceEntry of namespace %s records a direct policy of that name. "+
			"The import id of a policy is the namespace of its egress gateway (of a direct policy, its first source namespace) and its name.",
			id, identity.Namespace)}
	}
	p, owner, err := readRecord(record, identity)
	if err != nil {
		return found{}, err
	}
	return settled(ctx, client, p, owner)
}

// readRecord reads the record of a policy: its Service, or of a direct one a
// ServiceEntry.
func readRecord(record *unstructured.Unstructured, identity Identity) (policy.Policy, cluster.Owner, error) {
	id := manifest.ID{GVK: record.GroupVersionKind(), Namespace: record.GetNamespace(), Name: record.GetName()}
	owner, owned := cluster.OwnerOf(record)
	text, hasSpec := record.GetAnnotations()[compile.AnnotationSpec]
	if !owned || !hasSpec || owner.Resource != TypeName {
		return policy.Policy{}, owner, &summaryError{"Not a policy of this provider", fmt.Sprintf("%s exists, but it is not that of an %s: it lacks the annotations %s and %s. "+
			"Only what this provider has written can be imported.", id, TypeName, cluster.AnnotationOwner, compile.AnnotationSpec)}
	}
	p, err := policy.ParseSpec(text)
	if err != nil {
		return policy.Policy{}, owner, &summaryError{"The policy cannot be read", fmt.Sprintf("%s: %s. It was written by another version of the provider, or edited by hand.", id, err)}
	}
	if identityOf(p) != identity {
		return policy.Policy{}, owner, &summaryError{"The policy cannot be read", fmt.Sprintf("%s says in annotation %s that it belongs to policy %s, not %s. It was edited by hand.",
			id, compile.AnnotationSpec, identityOf(p).importID(), identity.importID())}
	}
	return p, owner, nil
}

// settled reads the ports that a policy has from its Gateways.
func settled(ctx context.Context, client *cluster.Client, p policy.Policy, owner cluster.Owner) (found, error) {
	if p.ByEgressGateway == nil {
		return found{existing: existing{grants: policy.Grants(p)}, policy: p, owner: owner}, nil
	}
	gateways, err := ownGateways(ctx, client, p.ByEgressGateway.Namespace, owner)
	if err != nil {
		return found{}, err
	}
	// An explicit port is known even if its Gateway is gone.
	kept, _ := ports.Keep(policy.LivePorts(p, gateways), policy.Slots(p))
	return found{existing: existing{ports: kept, grants: policy.Grants(p)}, policy: p, owner: owner}, nil
}

// directRecord returns the ServiceEntry that carries the intent of a direct
// policy; nil if there is none.
func directRecord(ctx context.Context, client *cluster.Client, identity Identity) (*unstructured.Unstructured, error) {
	entries, err := client.GlanceAt(ctx, kinds["ServiceEntry"], identity.Namespace, byOwner,
		instanceKey(cluster.Owner{Resource: TypeName, ImportID: identity.importID()}))
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if _, hasSpec := entry.GetAnnotations()[compile.AnnotationSpec]; hasSpec {
			return entry, nil
		}
	}
	return nil, nil
}
