package grants

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema implements datasource.DataSource.
func (d *DataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Who may reach what in the whole mesh, by every `istio_egress_traffic_policy` that lives in the cluster, " +
			"whichever workspace applied it: one element for each source, host and port.\n\n" +
			"The policies are read from the cluster, where each keeps its intent in an annotation, and every object of each is compared with that intent. " +
			"What does not fit is told under `problems` and never left out: objects that are gone, were changed by hand or belong to no policy, and intents that do not read. " +
			"That takes one LIST of each of six kinds, however many policies there are; the credentials need " +
			"`list` in all namespaces, as the role `terraform-provider-istio:read` of this repository's `examples/rbac` grants it.\n\n" +
			"Policies are not all there is: a mesh whose outbound mode is `ALLOW_ANY` lets traffic to undeclared hosts out (data source `istio_mesh`), " +
			"and ServiceEntries that this provider did not write let out what they say.\n\n" +
			"The answer is kept in the state: where thousands of grants would slow each run down, read them in a configuration of their own, or narrow them.",
		Attributes: map[string]schema.Attribute{
			"namespaces": schema.ListAttribute{
				MarkdownDescription: "Only grants to workloads of these namespaces.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
			},
			"gateway": schema.SingleNestedAttribute{
				MarkdownDescription: "Only grants through this egress gateway: the `reference` of an `istio_egress_gateway` (resource or data source), or an object with `name` and `namespace`. " +
					"Direct grants go through none.",
				Optional: true,
				Attributes: map[string]schema.Attribute{
					"name":      schema.StringAttribute{MarkdownDescription: "Name of the gateway.", Required: true},
					"namespace": schema.StringAttribute{MarkdownDescription: "Namespace of the gateway. Default: gateways of that name in any namespace.", Optional: true},
				},
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Only grants of this host: those of the name or address itself, and of wildcards that cover it. " +
					"A wildcard such as `*.example.com` asks for all hosts below it too.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"grants": schema.ListNestedAttribute{
				MarkdownDescription: "The grants, in the order of their `grant` lines.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: grantAttributes()},
			},
			"problems": schema.ListNestedAttribute{
				MarkdownDescription: "What is not as a policy says, by policy and object. Empty when all is well.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"policy_namespace": text("Namespace of the policy, the first part of its import id. Null where no policy can be told."),
					"policy_name":      text("Name of the policy. Null where no policy can be told."),
					"object":           text("The object, as `Kind/namespace/name`; of a Gateway that is gone, the key that it has in the policy's `manifests`."),
					"problem":          text("What is wrong: per differing field its live value, the field manager and the value that the policy wants, as in the policy's `drift`; or what does not read."),
					"hides_grants":     flag("Whether there may be grants that are not in `grants`, since an intent does not read. Such problems are told whatever the answer is narrowed to, and in a warning."),
				}},
			},
		},
	}
}

func grantAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"grant": text("The grant as one line, the same that the policy has in its `grants`, such as " +
			"`mytest/app=sleep-a (sa sleep-a) -> httpbin.org:80 HTTP, upgraded to 443, via istio-egress/egressgateway-a`."),
		"intact": flag("Whether every object of the policy is in the cluster as the policy wants it, by the mesh facts of this provider block (`trust_domain`, `trust_domain_aliases`). " +
			"`false`: less may be possible, or more; `problems` says why."),
		"policy_namespace": text("Namespace of the policy: its gateway's; of a direct policy, the first of its source namespaces."),
		"policy_name":      text("Name of the policy."),
		"entry":            text("Name of the entry (`to`) of the policy."),
		"owner_id":         text("The `owner_id` of the provider block that applied the policy; null if it has none."),
		"namespace":        text("Namespace of the workloads."),
		"workload_selector": schema.MapAttribute{
			MarkdownDescription: "Labels of the workloads; null for all of the namespace.",
			ElementType:         types.StringType, Computed: true,
		},
		"service_accounts":  list("Service accounts that the gateway admits; null if any passes, or nobody checks."),
		"namespace_checked": flag("Whether the gateway compares the caller's namespace. Null for a direct way."),
		"host":              text("DNS name, wildcard or IP address that the workloads call."),
		"port":              number("Port that the workloads call."),
		"protocol":          text("Protocol of that port."),
		"addresses":         list("Addresses that a direct TCP call may go to; null where the host decides."),
		"resolve_to":        text("Host that is reached in place of `host`; null if it is `host`."),
		"upgraded_to":       number("Port to which the gateway speaks TLS; null if it passes on what it gets."),
		"certificate_checked": flag("Whether the gateway checks the certificate of the external service when it speaks TLS. " +
			"Null if it does not speak TLS."),
		"way":               text("`gateway`, or `direct`: from the sidecar straight to the host, where nothing is checked."),
		"gateway_namespace": text("Namespace of the egress gateway; null for a direct way."),
		"gateway_name":      text("Name of the egress gateway; null for a direct way."),
	}
}

func text(description string) schema.Attribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func flag(description string) schema.Attribute {
	return schema.BoolAttribute{MarkdownDescription: description, Computed: true}
}

func number(description string) schema.Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Computed: true}
}

func list(description string) schema.Attribute {
	return schema.ListAttribute{MarkdownDescription: description, ElementType: types.StringType, Computed: true}
}
