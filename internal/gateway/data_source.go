package gateway

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// DataSource is the data source istio_egress_gateway.
type DataSource struct {
	provider *settings.Provider
}

var _ datasource.DataSourceWithConfigure = (*DataSource)(nil)

// NewDataSource returns the data source.
func NewDataSource() datasource.DataSource { return &DataSource{} }

// Metadata implements datasource.DataSource.
func (d *DataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = TypeName
}

// Configure implements datasource.DataSourceWithConfigure.
func (d *DataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	provider, diags := settings.Configured(req.ProviderData)
	resp.Diagnostics.Append(diags...)
	d.provider = provider
}

// dataModel is the data source.
type dataModel struct {
	Name      string       `tfsdk:"name"`
	Namespace types.String `tfsdk:"namespace"`
	Facts
	Addresses
	MutualTLS     types.Bool   `tfsdk:"mutual_tls"`
	Authorization types.String `tfsdk:"authorization"`
	Revision      types.String `tfsdk:"revision"`
	Ports         types.List   `tfsdk:"ports"`
}

// Read implements datasource.DataSource.
func (d *DataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if model.Namespace.IsNull() {
		model.Namespace = types.StringValue(defaults.Namespace)
	}
	client, err := d.provider.Connect()
	if settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
		return
	}
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, defaultReadTimeout)
	defer cancel()
	seen, diags := see(ctx, client, Identity{Namespace: model.Namespace.ValueString(), Name: model.Name})
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	diags = model.fill(ctx, d.provider, seen)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// fill answers everything but name and namespace.
func (m *dataModel) fill(ctx context.Context, provider *settings.Provider, seen installed) diag.Diagnostics {
	reference, diags := seen.reference(provider.Mesh)
	if diags.HasError() {
		return diags
	}
	m.Facts = factsOfReference(reference, provider.Mesh.ServiceHost(seen.identity.Name, seen.identity.Namespace))
	if seen.service == nil {
		m.ServiceHost = types.StringNull()
	}
	m.Addresses = addressesOf(seen.service)
	m.MutualTLS = types.BoolPointerValue(reference.MutualTLS)
	m.Authorization = types.StringPointerValue(reference.Authorization)
	m.Revision = types.StringPointerValue(reference.Revision)
	ports, listDiags := types.ListValueFrom(ctx, dataPortType(), seen.ports())
	m.Ports = ports
	return append(diags, listDiags...)
}

// see reads what there is of a gateway, whoever installed it.
func see(ctx context.Context, client *cluster.Client, identity Identity) (installed, diag.Diagnostics) {
	var diags diag.Diagnostics
	seen := installed{identity: identity}
	g := workload.Gateway{Name: identity.Name, Namespace: identity.Namespace}
	var err error
	if seen.service, err = client.Get(ctx, workload.ServiceID(g)); err == nil {
		seen.deployment, err = client.Get(ctx, workload.DeploymentID(g))
	}
	if err == nil {
		seen.defaultDeny, err = client.Get(ctx, workload.DefaultDenyID(g))
	}
	switch {
	case err != nil:
		diags.Append(diagnose.Error(err))
	case seen.service == nil && seen.deployment == nil:
		diags.AddError("No such gateway", fmt.Sprintf("There is neither a Service nor a Deployment %s. "+
			"Helm names both after the release, istioctl istio-egressgateway.", identity.importID()))
	}
	return seen, diags
}
