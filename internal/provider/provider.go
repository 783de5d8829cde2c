package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/meshegress/terraform-provider-istio/internal/functions"
	"github.com/meshegress/terraform-provider-istio/internal/gateway"
	"github.com/meshegress/terraform-provider-istio/internal/grants"
	"github.com/meshegress/terraform-provider-istio/internal/mesh"
	"github.com/meshegress/terraform-provider-istio/internal/outboundpolicy"
	"github.com/meshegress/terraform-provider-istio/internal/trafficpolicy"
)

// TypeName starts the name of every resource type.
const TypeName = "istio"

// Provider is the provider as Terraform sees it.
type Provider struct {
	version     string
	environment Environment
}

var (
	_ provider.ProviderWithFunctions     = &Provider{}
	_ provider.ProviderWithListResources = &Provider{}
)

// New returns the provider of a version in the environment of this process.
// The version shows in the user agent.
func New(version string) func() provider.Provider {
	return func() provider.Provider {
		return &Provider{
			version:     version,
			environment: Environment{Getenv: os.Getenv, ServiceAccount: serviceAccountDirectory},
		}
	}
}

// Metadata names the provider.
func (p *Provider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = TypeName
	resp.Version = p.version
}

// Resources lists the resource types.
func (p *Provider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{gateway.New, trafficpolicy.New, outboundpolicy.New}
}

// DataSources lists the data sources.
func (p *Provider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{gateway.NewDataSource, mesh.NewDataSource, grants.NewDataSource}
}

// ListResources lists the resource types that a query can list.
func (p *Provider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{gateway.NewListResource, trafficpolicy.NewListResource, outboundpolicy.NewListResource}
}

// Functions lists the provider-defined functions.
func (p *Provider) Functions(context.Context) []func() function.Function { return functions.All() }
