package gateway

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ImportState implements resource.ResourceWithImportState. The gateway's
// Service carries the intent as JSON; the read that follows compares the rest.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	identity, diags := wantedIdentity(ctx, req.ID, req.Identity)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, err := r.provider.Connect()
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	intent, owner, diags := find(ctx, client, identity)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, r.imported(intent))...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identity)...)
	resp.Diagnostics.Append(private.Write(ctx, resp.Private, owner)...)
}

// imported returns the state of a gateway that nothing was compared with yet.
func (r *Resource) imported(intent workload.Gateway) Model {
	return Model{Gateway: intent, Computed: Computed{
		Facts:     factsOf(intent, r.provider.Mesh),
		Addresses: Addresses{ClusterIP: types.StringNull(), LoadBalancerIngress: types.ListNull(ingressType)},
		Manifests: values.Map(nil),
		Drift:     values.Map(nil),
	}}
}

// wantedIdentity reads an import id, or else an identity.
func wantedIdentity(ctx context.Context, id string, from *tfsdk.ResourceIdentity) (Identity, diag.Diagnostics) {
	var identity Identity
	if id == "" {
		diags := from.Get(ctx, &identity)
		return identity, diags
	}
	namespace, name, ok := strings.Cut(id, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return identity, diag.Diagnostics{diag.NewErrorDiagnostic("Invalid import id", fmt.Sprintf(
			"%q is not of the form namespace/name, such as %s/egressgateway.", id, defaults.Namespace))}
	}
	return Identity{Namespace: namespace, Name: name}, nil
}

// find reads a gateway back from its Service.
func find(ctx context.Context, client *cluster.Client, identity Identity) (workload.Gateway, cluster.Owner, diag.Diagnostics) {
	var diags diag.Diagnostics
	id := manifest.ID{GVK: workload.KindService, Namespace: identity.Namespace, Name: identity.Name}
	service, err := client.Get(ctx, id)
	if err != nil {
		diags.Append(diagnose.Error(err))
		return workload.Gateway{}, cluster.Owner{}, diags
	}
	if service == nil {
		diags.AddError("Nothing to import", fmt.Sprintf("%s does not exist. An import id is the namespace and the name of a gateway, and its Service says what it is.", id))
		return workload.Gateway{}, cluster.Owner{}, diags
	}
	return readRecord(service, identity)
}

// readRecord reads the record of a gateway, which its Service is.
func readRecord(service *unstructured.Unstructured, identity Identity) (workload.Gateway, cluster.Owner, diag.Diagnostics) {
	var diags diag.Diagnostics
	id := manifest.ID{GVK: workload.KindService, Namespace: service.GetNamespace(), Name: service.GetName()}
	intent, hasSpec, err := workload.Intent(service.GetAnnotations())
	owner, owned := cluster.OwnerOf(service)
	switch {
	case !owned || !hasSpec || owner.Resource != TypeName:
		diags.AddError("Not a gateway of this provider", fmt.Sprintf(
			"%s exists, but it was not made by an %s: it lacks the annotations %s and %s. Only what this provider has written can be imported. "+
				"To use a gateway that somebody else installed, read it with the data source %s, whose `reference` policies take.",
			id, TypeName, cluster.AnnotationOwner, compile.AnnotationSpec, TypeName))
	case err != nil:
		diags.AddError("The gateway cannot be read", fmt.Sprintf("%s: %s. It was written by another version of the provider, or edited by hand.", id, err))
	case identityOf(intent) != identity:
		diags.AddError("The gateway cannot be read", fmt.Sprintf("%s says in annotation %s that it belongs to gateway %s, not %s. It was edited by hand.",
			id, compile.AnnotationSpec, identityOf(intent).importID(), identity.importID()))
	}
	return intent, owner, diags
}
