package outboundpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What sidecars do with traffic to hosts that nobody declared: let it out (`ALLOW_ANY`, Istio's default) or not (`REGISTRY_ONLY`), " +
			"for the whole mesh, for a namespace, or for selected workloads.\n\n" +
			"It sets that one thing and keeps the rest: in the mesh config one value of the text, every other byte and comment stays; in a namespace that has a Sidecar, one field of it; " +
			"a Sidecar that is made repeats the imported hosts of the one that it hides. Destroy puts back what was there.\n\n" +
			"`REGISTRY_ONLY` is [no firewall](" + limitationsURL + "): it holds for what goes through a sidecar. " +
			"A workload that gets around its sidecar, and every workload of a namespace in ambient mode, is not bound by it.",
		Attributes: map[string]schema.Attribute{
			"mode": schema.StringAttribute{
				MarkdownDescription: "`REGISTRY_ONLY`: only hosts that are declared, by a Service, a ServiceEntry or an `istio_egress_traffic_policy`, are reached. `ALLOW_ANY`: all are.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(outbound.Modes()...)},
			},
			"namespace": schema.StringAttribute{
				MarkdownDescription: "Namespace whose workloads are meant. Without it the policy is for the whole mesh: it edits `outboundTrafficPolicy.mode` in the mesh config, " +
					"ConfigMap `istio` or `istio-<revision>` in the provider's `istio_namespace`. With it, it sets the mode in the Sidecar of the namespace that has no workload selector, whatever its name; " +
					"where there is none it makes one called `" + outbound.DefaultName + "`. Changing it replaces the policy.",
				Optional: true, PlanModifiers: replace,
				Validators: []validator.String{check.String(outbound.CheckNamespace)},
			},
			"workload_selector": schema.MapAttribute{
				MarkdownDescription: "Labels of the workloads that are meant, in `namespace`. The policy is then a Sidecar called `name`. " +
					"Another Sidecar that selects the same workloads is an error: Istio would take the older one.",
				ElementType: types.StringType,
				Optional:    true,
				Validators:  []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.NoNullValues(), check.Map(outbound.CheckSelector)},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the Sidecar, with `workload_selector` only. Changing it replaces the policy.",
				Optional:            true, PlanModifiers: replace,
				Validators: []validator.String{check.String(outbound.CheckName)},
			},
			"revision": schema.StringAttribute{
				MarkdownDescription: "Revision of the control plane: whose mesh config is edited, or the label `istio.io/rev` of a Sidecar that is made. Default: the `revision` of the provider.",
				Optional:            true,
				Validators:          []validator.String{check.String(outbound.CheckRevision)},
			},
			"object": schema.StringAttribute{
				MarkdownDescription: "What holds the mode, as `Kind/namespace/name`: a ConfigMap or a Sidecar.",
				Computed:            true,
			},
			"effective_from": effectiveAttribute(),
			"previous_mode": schema.StringAttribute{
				MarkdownDescription: "The mode that was there before and that destroy puts back. Null if none was: destroy takes it out again. After an import of a mode that no policy has set it is what was found.",
				Computed:            true,
			},
			"drift": schema.MapAttribute{
				MarkdownDescription: "What others changed in the cluster since the last apply, by object: per differing field its live value, the field manager and the value that the next apply puts back. " +
					"For a Sidecar that repeats another one, also what has changed there. Empty when all is well.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"timeouts": timeoutsAttribute(ctx),
		},
	}
}

// limitationsURL is where Istio says what a sidecar does not hold.
const limitationsURL = "https://istio.io/latest/docs/ops/best-practices/security/#understand-traffic-capture-limitations"

func effectiveAttribute() schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What holds today for the workloads of this scope, and which level says it. " +
			"A narrower level goes before a wider one; a Sidecar without a mode leaves it to the mesh config. Filled by apply and refresh.",
		Computed: true,
		Attributes: map[string]schema.Attribute{
			"level":  text("`workload`, `namespace`, `root_namespace`, `mesh`, or `default`: Istio's own, where no level says a mode."),
			"object": text("The Sidecar or ConfigMap that says it, as `Kind/namespace/name`; null for `default`."),
			"mode":   text("The mode; null where the mesh config decides and may not be read."),
		},
	}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute := timeouts.AttributesAll(ctx)
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = fmt.Sprintf("How long an operation may take, waiting for an API server that does not answer included. "+
			"Default: %s, %s for `read`.", defaultWriteTimeout, defaultReadTimeout)
		return nested
	}
	return attribute
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"scope": identityschema.StringAttribute{
				Description:       "mesh, namespace or workload.",
				RequiredForImport: true,
			},
			"namespace": identityschema.StringAttribute{
				Description:       "Namespace, at the scopes namespace and workload.",
				OptionalForImport: true,
			},
			"name": identityschema.StringAttribute{
				Description:       "Name of the Sidecar at scope workload; revision of the control plane at scope mesh, left out for the default one.",
				OptionalForImport: true,
			},
		},
	}
}
