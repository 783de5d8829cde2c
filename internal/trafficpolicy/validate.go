package trafficpolicy

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// ValidateConfig implements resource.ResourceWithValidateConfig: the rules of
// the compiler, as far as the configuration is known.
func (r *Resource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	s, ok := req.Config.Schema.(schema.Schema)
	if !ok {
		return
	}
	raw, err := withDefaults(ctx, s, req.Config.Raw)
	if err != nil {
		resp.Diagnostics.AddError("The configuration cannot be read", err.Error())
		return
	}
	config := tfsdk.Config{Raw: raw, Schema: s}
	intent, ok := wholeIntent(ctx, config)
	var guessed []guess
	if !ok {
		intent, guessed = knownPart(ctx, config)
	}
	resp.Diagnostics.Append(diagnose.Problems(provable(policy.Validate(intent, r.mesh()), guessed))...)
}

// wholeIntent decodes a configuration at once. It reports false where that
// cannot be done: something is unknown, or null where the intent has no place
// for it.
func wholeIntent(ctx context.Context, config tfsdk.Config) (policy.Policy, bool) {
	var model Model
	if !values.KnownBut(config.Raw, providerAttributes) || config.Get(ctx, &model).HasError() {
		return policy.Policy{}, false
	}
	return model.Policy, true
}

// mesh returns the facts of the mesh, empty as long as they are unknown.
func (r *Resource) mesh() compile.Mesh {
	if r.provider == nil || !r.provider.MeshKnown {
		return compile.Mesh{}
	}
	return r.provider.Mesh
}
