package mesh

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// TypeName is the data source type.
const TypeName = "istio_mesh"

// readTimeout is the time for a handful of requests.
const readTimeout = time.Minute

// DataSource is istio_mesh.
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

// Read implements datasource.DataSource.
func (d *DataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model Model
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("revision"), &model.Revision)...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, err := d.provider.Connect()
	if settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
		return
	}
	if err == nil && !d.provider.MeshKnown {
		err = &settings.UnknownError{Attributes: []string{"istio_namespace", "revision"}}
	}
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	seen, err := d.look(ctx, client, model.Revision.ValueStringPointer())
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	if seen.plane.Problem != nil {
		told := diagnose.Error(seen.plane.Problem)
		resp.Diagnostics.AddWarning("The mesh config is not known whole: "+told.Summary(), told.Detail())
	}
	resp.Diagnostics.Append(model.fill(seen)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// look reads the control plane of a revision, nil for that of the provider
// block.
func (d *DataSource) look(ctx context.Context, client *cluster.Client, revision *string) (look, error) {
	seen := look{revision: d.provider.Mesh.Revision}
	if revision != nil {
		seen.revision = *revision
	}
	var err error
	if seen.plane, err = d.provider.ControlPlane(ctx, client, seen.revision); err != nil {
		return seen, err
	}
	if !seen.plane.Found && seen.plane.Problem == nil {
		return seen, &absentError{seen.plane.ConfigMap}
	}
	return seen, seen.rest(ctx, client)
}
