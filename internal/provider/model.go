package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Model is the provider block as Terraform hands it over; values may be unknown.
type Model struct {
	Host                  types.String  `tfsdk:"host"`
	Token                 types.String  `tfsdk:"token"`
	ClusterCACertificate  types.String  `tfsdk:"cluster_ca_certificate"`
	ClientCertificate     types.String  `tfsdk:"client_certificate"`
	ClientKey             types.String  `tfsdk:"client_key"`
	Insecure              types.Bool    `tfsdk:"insecure"`
	TLSServerName         types.String  `tfsdk:"tls_server_name"`
	ProxyURL              types.String  `tfsdk:"proxy_url"`
	ConfigPath            types.String  `tfsdk:"config_path"`
	ConfigPaths           types.List    `tfsdk:"config_paths"`
	ConfigContext         types.String  `tfsdk:"config_context"`
	ConfigContextCluster  types.String  `tfsdk:"config_context_cluster"`
	ConfigContextAuthInfo types.String  `tfsdk:"config_context_auth_info"`
	Exec                  types.List    `tfsdk:"exec"`
	IstioNamespace        types.String  `tfsdk:"istio_namespace"`
	Revision              types.String  `tfsdk:"revision"`
	TrustDomain           types.String  `tfsdk:"trust_domain"`
	TrustDomainAliases    types.List    `tfsdk:"trust_domain_aliases"`
	ClusterDomain         types.String  `tfsdk:"cluster_domain"`
	OwnerID               types.String  `tfsdk:"owner_id"`
	ForceConflicts        types.Bool    `tfsdk:"force_conflicts"`
	ManifestDetail        types.String  `tfsdk:"manifest_detail"`
	QPS                   types.Float64 `tfsdk:"qps"`
	Burst                 types.Int64   `tfsdk:"burst"`
}

// execModel is the `exec` block.
type execModel struct {
	APIVersion types.String `tfsdk:"api_version"`
	Command    types.String `tfsdk:"command"`
	Args       types.List   `tfsdk:"args"`
	Env        types.Map    `tfsdk:"env"`
}

// unknownConnection returns the sorted names of the attributes that a call to
// the cluster needs and that are unknown.
func (m Model) unknownConnection(ctx context.Context) []string {
	return unknown(ctx, map[string]attr.Value{
		"host":                     m.Host,
		"token":                    m.Token,
		"cluster_ca_certificate":   m.ClusterCACertificate,
		"client_certificate":       m.ClientCertificate,
		"client_key":               m.ClientKey,
		"insecure":                 m.Insecure,
		"tls_server_name":          m.TLSServerName,
		"proxy_url":                m.ProxyURL,
		"config_path":              m.ConfigPath,
		"config_paths":             m.ConfigPaths,
		"config_context":           m.ConfigContext,
		"config_context_cluster":   m.ConfigContextCluster,
		"config_context_auth_info": m.ConfigContextAuthInfo,
		"exec":                     m.Exec,
		// No object says these, but a write under another owner or another
		// limit than the configuration's must not happen.
		"owner_id":        m.OwnerID,
		"force_conflicts": m.ForceConflicts,
		"qps":             m.QPS,
		"burst":           m.Burst,
	})
}

// unknownMesh returns the sorted names of the attributes that the objects
// depend on and that are unknown.
func (m Model) unknownMesh(ctx context.Context) []string {
	return unknown(ctx, map[string]attr.Value{
		"istio_namespace":      m.IstioNamespace,
		"revision":             m.Revision,
		"trust_domain":         m.TrustDomain,
		"trust_domain_aliases": m.TrustDomainAliases,
		"cluster_domain":       m.ClusterDomain,
		"manifest_detail":      m.ManifestDetail,
	})
}

func unknown(ctx context.Context, values map[string]attr.Value) []string {
	var names []string
	for name, value := range values {
		// A list with one unknown element is as good as unknown.
		if v, err := value.ToTerraformValue(ctx); err != nil || !v.IsFullyKnown() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// config returns the known values. It is called only when every attribute
// that the connection needs is known.
func (m Model) config(ctx context.Context) (Config, diag.Diagnostics) {
	c := Config{
		Host:                  m.Host.ValueStringPointer(),
		Token:                 m.Token.ValueStringPointer(),
		ClusterCACertificate:  m.ClusterCACertificate.ValueStringPointer(),
		ClientCertificate:     m.ClientCertificate.ValueStringPointer(),
		ClientKey:             m.ClientKey.ValueStringPointer(),
		Insecure:              m.Insecure.ValueBoolPointer(),
		TLSServerName:         m.TLSServerName.ValueStringPointer(),
		ProxyURL:              m.ProxyURL.ValueStringPointer(),
		ConfigPath:            m.ConfigPath.ValueStringPointer(),
		ConfigContext:         m.ConfigContext.ValueStringPointer(),
		ConfigContextCluster:  m.ConfigContextCluster.ValueStringPointer(),
		ConfigContextAuthInfo: m.ConfigContextAuthInfo.ValueStringPointer(),
		QPS:                   m.QPS.ValueFloat64Pointer(),
		Burst:                 m.Burst.ValueInt64Pointer(),
	}
	diags := m.ConfigPaths.ElementsAs(ctx, &c.ConfigPaths, false)

	var blocks []execModel
	diags.Append(m.Exec.ElementsAs(ctx, &blocks, false)...)
	if len(blocks) > 0 {
		c.Exec = &Exec{APIVersion: blocks[0].APIVersion.ValueString(), Command: blocks[0].Command.ValueString()}
		diags.Append(blocks[0].Args.ElementsAs(ctx, &c.Exec.Args, false)...)
		diags.Append(blocks[0].Env.ElementsAs(ctx, &c.Exec.Env, false)...)
	}
	return c, diags
}
