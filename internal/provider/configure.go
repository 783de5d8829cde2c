package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Configure never dials. What is wrong without a connection (a path, a
// context, a certificate, an address) is an error here; what is unknown or
// not configured is one of Connect, and so only where a call is needed.
func (p *Provider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model Model
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.ClientCapabilities.DeferralAllowed && !req.Config.Raw.IsFullyKnown() {
		resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
	}

	configured := &settings.Provider{
		Detail:    manifest.Detail(stringOr(model.ManifestDetail, string(manifest.DetailDigest))),
		OwnerID:   model.OwnerID.ValueString(),
		MeshKnown: len(model.unknownMesh(ctx)) == 0,
	}
	if configured.MeshKnown {
		mesh, diags := model.mesh(ctx)
		resp.Diagnostics.Append(diags...)
		configured.Mesh = mesh
	}
	connect, diags := p.connector(ctx, model)
	resp.Diagnostics.Append(diags...)
	configured.Connect = connect

	resp.ResourceData = configured
	if resp.Deferred == nil { // else the framework defers all there is
		protocol.Configured(ctx, configured)
	}
	resp.DataSourceData = configured
	resp.ListResourceData = configured
}

// connector returns the function that makes the client, once.
func (p *Provider) connector(ctx context.Context, model Model) (func() (*cluster.Client, error), diag.Diagnostics) {
	fail := func(err error) func() (*cluster.Client, error) {
		return func() (*cluster.Client, error) { return nil, err }
	}
	if names := model.unknownConnection(ctx); len(names) > 0 {
		return fail(&settings.UnknownError{Attributes: names}), nil
	}
	config, diags := model.config(ctx)
	if diags.HasError() {
		return nil, diags
	}
	connection, found := config.Connection(p.environment)
	diags.Append(found...)
	if connection == nil {
		return fail(settings.ErrNoCluster), diags
	}
	return sync.OnceValues(func() (*cluster.Client, error) {
		return cluster.New(connection.Config, cluster.Options{
			Version:        p.version,
			ForceConflicts: model.ForceConflicts.ValueBool(),
			Endpoint:       connection.Endpoint,
		})
	}), diags
}

// mesh returns the facts of the mesh, with defaults.
func (m Model) mesh(ctx context.Context) (compile.Mesh, diag.Diagnostics) {
	mesh := compile.Mesh{
		RootNamespace: stringOr(m.IstioNamespace, settings.DefaultRootNamespace),
		TrustDomain:   stringOr(m.TrustDomain, settings.DefaultTrustDomain),
		ClusterDomain: stringOr(m.ClusterDomain, settings.DefaultClusterDomain),
		Revision:      m.Revision.ValueString(),
	}
	diags := m.TrustDomainAliases.ElementsAs(ctx, &mesh.TrustDomainAliases, false)
	return mesh, diags
}

func stringOr(value types.String, fallback string) string {
	if value.IsNull() || value.IsUnknown() {
		return fallback
	}
	return value.ValueString()
}
