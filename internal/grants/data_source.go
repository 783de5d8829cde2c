package grants

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// TypeName is the data source type.
const TypeName = "istio_egress_grants"

// readTimeout is the time for one LIST per kind, of the largest meshes too.
const readTimeout = 5 * time.Minute

// DataSource is istio_egress_grants.
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
	var c config
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("namespaces"), &c.Namespaces)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("gateway"), &c.Gateway)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("host"), &c.Host)...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, err := d.provider.Connect()
	if settings.IsUnknown(err) && req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
		return
	}
	if err == nil && !d.provider.MeshKnown {
		err = &settings.UnknownError{Attributes: []string{"istio_namespace", "revision", "trust_domain"}}
	}
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	// Objects are compared with what they ought to be in this mesh.
	if err := d.provider.CheckTrustDomain(ctx, client); err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	survey, err := client.Survey(ctx, policy.Kinds()...)
	if err != nil {
		resp.Diagnostics.Append(diagnose.Error(err))
		return
	}
	audit := c.filter().apply(take(survey, d.provider.Mesh))
	resp.Diagnostics.Append(audit.warnings()...)
	resp.State.Raw = req.Config.Raw
	resp.Diagnostics.Append(values.Attributes{"grants": audit.grants(), "problems": audit.problems()}.Put(ctx, &resp.State.Raw)...)
}

// warnings tells of what the list of grants cannot have.
func (a Audit) warnings() diag.Diagnostics {
	var lines []string
	for _, p := range a.Problems {
		if p.Hides && !slices.Contains(lines, p.line()) {
			lines = append(lines, p.line())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("There may be grants that are not in the list",
		"The intent of these could not be read. They are under `problems`, with `hides_grants`:\n\n  "+strings.Join(lines, "\n  ")+
			"\n\nWhere a state has the policy, apply it: that puts its record back.")}
}

func (p Problem) line() string { return fmt.Sprintf("%s: %s", p.Object, p.Text) }
