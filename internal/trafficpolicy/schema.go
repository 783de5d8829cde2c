package trafficpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/nested"
)

// defaultGatewayNamespace is where ASM keeps egress gateways and their
// policies, and the default of istio_egress_gateway.
const defaultGatewayNamespace = "istio-egress"

// Schema implements resource.Resource.
func (r *Resource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lets selected workloads reach selected external services through an egress gateway, and nobody else.\n\n" +
			"One policy writes the Gateway, ServiceEntry, VirtualService, DestinationRule, AuthorizationPolicy and Service objects " +
			"that such a path needs. A workload that no rule selects does not reach the declared hosts. " +
			"The plan shows who gains or loses access (`grants`) and, after a hand edit in the cluster, what was changed and by whom (`drift`).",
		Attributes: nested.Settle(map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the policy, a DNS label of at most 59 characters, unique among the policies in the namespace of the gateway. " +
					"It begins the names of the objects that the policy becomes. Changing it replaces the policy.",
				Required:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"by_egress_gateway":    gatewayAttribute(),
			"revision":             revisionAttribute("Label `istio.io/rev` of every object of this policy. Default: the revision of the gateway's `reference`, else the `revision` of the provider."),
			"unselected_workloads": unselectedAttribute(),
			"egress_rules":         rulesAttribute(),
			"gateway_ports": schema.MapAttribute{
				MarkdownDescription: "Port that each entry has on the pods of the gateway, by `<entry>` or `<entry>/<host>`. " +
					"A port that is not named in `by_egress_gateway.port`, or is below 1024 there, is assigned at apply from 10000 to 20000 " +
					"and does not move while its entry and host exist: not when rules are moved or renamed, other entries and hosts are edited, " +
					"or the policy is imported. An edit of the entry's own protocol or `by_egress_gateway` may move it; entries that shared the port keep it then.",
				ElementType: types.Int64Type,
				Computed:    true,
			},
			"grants": schema.SetAttribute{
				MarkdownDescription: "Who may reach what, one line per grant, such as " +
					"`mytest/app=sleep-a (sa sleep-a) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/egressgateway-a`. " +
					"In parentheses stands what the gateway checks of the caller. `resolved to <host>`, `at <address>` and `without checking its certificate` say " +
					"where a call really ends, if that is not what the name says. The plan shows access that is added and removed as lines of this set. " +
					"A line of which a value is not known until apply, such as a host that another resource computes, is `(known after apply)`; all others are shown.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"manifests": schema.MapAttribute{
				MarkdownDescription: "Objects of the policy, by `Kind/namespace/name` " +
					"(a Gateway, whose name ends in a port: `Gateway/<namespace>/<gateway>:<entry>[/<host>]`). " +
					"The value is a digest of the object, or its canonical JSON if the provider's `manifest_detail` is `full`.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"drift": schema.MapAttribute{
				MarkdownDescription: "What others changed in the cluster since the last apply, by the keys of `manifests`: " +
					"per differing field its live value, the field manager and the value that the next apply puts back. Empty when all is well.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"timeouts": timeoutsAttribute(ctx),
		}),
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

// gatewayAttribute takes what istio_egress_gateway gives as `reference`: its
// attributes are those of compile.Reference.
func gatewayAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "The egress gateway: the `reference` of an `istio_egress_gateway` (resource or data source), which is the same as all of it, or an object of the same shape. " +
			"Another gateway in the same namespace is an update in place; another namespace replaces the policy " +
			"(`create_before_destroy` keeps traffic flowing).\n\n" +
			"Without it the policy is direct: the hosts are declared in the source namespaces and reached without a gateway, " +
			"for a mesh in which only declared hosts can be reached (`REGISTRY_ONLY`). " +
			"Istio cannot hold direct traffic to labels or identities, so `workload_selector` and `service_accounts` are refused then.",
		Optional: true,
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the gateway.",
				Required:            true,
			},
			"namespace": schema.StringAttribute{
				MarkdownDescription: "Namespace of the gateway's pods. The Gateway, Service and gateway-side objects of the policy stand there. Default: `" + defaultGatewayNamespace + "`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultGatewayNamespace),
			},
			"selector": schema.MapAttribute{
				MarkdownDescription: "Labels that select the pods of the gateway. Default: `{ istio = <name> }`.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.NoNullValues()},
			},
			"mutual_tls": schema.BoolAttribute{
				MarkdownDescription: "Whether sidecars speak mutual TLS to the gateway. Default: `true`. " +
					"`false` is a plaintext leg without identity: `service_accounts` cannot be checked.",
				Optional: true,
			},
			"authorization": schema.StringAttribute{
				MarkdownDescription: "`allow_listed` (default): the gateway has a baseline AuthorizationPolicy that refuses what no policy admits, " +
					"and the policy admits its source namespaces. `none`: for a gateway without that baseline; source namespaces are not checked.",
				Optional: true,
			},
			"revision": revisionAttribute("Revision of the control plane that the gateway belongs to, label `istio.io/rev`."),
			"service_account": schema.StringAttribute{
				MarkdownDescription: "Service account of the gateway's pods. Sidecars send calls to nobody else then, with `mutual_tls`. " +
					"Default: none, and the gateway is whoever has its labels in its namespace, as Istio has it. The `reference` of a gateway names it.",
				Optional: true,
			},
		},
	}
}

func revisionAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
	}
}

func unselectedAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "What workloads of the source namespaces that no rule selects get for the declared hosts. " +
			"`deny` (default): nothing. `direct`: they reach the hosts without the gateway, as if the policy did not exist.",
		Optional: true,
		Computed: true,
		Default:  stringdefault.StaticString(policy.Deny),
	}
}

func rulesAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "Rules. Each grants every source in `from` every entry in `to`.",
		Required:            true,
		Validators:          []validator.List{listvalidator.NoNullValues()},
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"name": schema.StringAttribute{
					MarkdownDescription: "Name of the rule, for readers and diagnostics. Renaming a rule changes nothing in the cluster but the record of the policy.",
					Optional:            true,
				},
				"from": fromAttribute(),
				"to":   toAttribute(),
			},
		},
	}
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"namespace": identityschema.StringAttribute{
				Description:       "Namespace of the gateway; of a direct policy, its first source namespace in alphabetical order.",
				RequiredForImport: true,
			},
			"name": identityschema.StringAttribute{
				Description:       "Name of the policy.",
				RequiredForImport: true,
			},
		},
	}
}
