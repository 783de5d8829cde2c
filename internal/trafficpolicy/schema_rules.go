package trafficpolicy

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

func fromAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "Source workloads. Each source has a `workload_selector`, `service_accounts` or both. Either every source of a rule names `service_accounts`, or none does.",
		Required:            true,
		Validators:          []validator.List{listvalidator.NoNullValues()},
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"namespace": schema.StringAttribute{
					MarkdownDescription: "Namespace of the workloads. It cannot be the namespace of the gateway, which checks it.",
					Required:            true,
				},
				"workload_selector": schema.MapAttribute{
					MarkdownDescription: "Labels of the workloads. They decide whose traffic is routed to the gateway; they are no identity. `{}`: all workloads of the namespace. " +
						"Required where `service_accounts` is left out, so that a [misspelled name](#misspelled-names) does not grant the namespace; beside `service_accounts` the default is `{}`.",
					ElementType: types.StringType,
					Optional:    true,
					Validators:  []validator.Map{mapvalidator.NoNullValues()},
				},
				"service_accounts": schema.ListAttribute{
					MarkdownDescription: "Service accounts of the workloads. The gateway checks them in the mutual TLS handshake. Default: any service account of the namespace.",
					ElementType:         types.StringType,
					Optional:            true,
					Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
				},
			},
		},
	}
}

func toAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "External services.",
		Required:            true,
		Validators:          []validator.List{listvalidator.NoNullValues()},
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"name": schema.StringAttribute{
					MarkdownDescription: "Name of the entry, unique in the policy. It stands in `gateway_ports`, in the names of objects and in the gateway's access log.",
					Required:            true,
				},
				"hosts": schema.ListAttribute{
					MarkdownDescription: "DNS names of the service, 1 to 50 in any mix. IP addresses for TCP only. A wildcard such as `*.example.com` needs `resolve_to`.",
					ElementType:         types.StringType,
					Required:            true,
					Validators:          []validator.List{listvalidator.NoNullValues()},
				},
				"addresses": schema.ListAttribute{
					MarkdownDescription: "IP addresses that the workloads see for a host of protocol TCP. " +
						"TCP carries no name: without addresses the sidecar can tell two TCP hosts of one port apart only if DNS capture is on. " +
						"The sidecars of the source namespace then know every port of the host by these addresses (with DNS capture and without `addresses`: by a virtual address). " +
						"If the host has an HTTPS or TLS port as well, a workload that dials any other address and sends the host's name there as SNI " +
						"is treated as a caller of an undeclared host: under `ALLOW_ANY` it goes out directly, selected or not; under `REGISTRY_ONLY` it does not.",
					ElementType: types.StringType,
					Optional:    true,
					Validators:  []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
				},
				"port":              portAttribute(),
				"by_egress_gateway": entryGatewayAttribute(),
				"https_upgrade":     upgradeAttribute(),
				"tls":               tlsAttribute(),
				"timeout": schema.StringAttribute{
					MarkdownDescription: "Timeout of a request of an HTTP entry, such as `10s`. Maps to `timeout` of the VirtualService. Default: none.",
					Optional:            true,
				},
				"retries": retriesAttribute(),
				"resolve_to": schema.StringAttribute{
					MarkdownDescription: "The one host that the gateway connects to in place of each of `hosts`. A wildcard needs it.",
					Optional:            true,
				},
			},
		},
	}
}

func portAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Port of the external service, as the workload dials it.",
		Required:            true,
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the port, a DNS label. It becomes `<name>-<number>` in the ServiceEntry of the source namespace.",
				Required:            true,
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Number of the port, 1 to 65535.",
				Required:            true,
			},
			"protocol": schema.StringAttribute{
				MarkdownDescription: "What the workload speaks: `HTTP`, `HTTP2`, `GRPC`, `HTTPS`, `TLS` or `TCP`. HTTPS and TLS are routed by the name in the TLS handshake (SNI) and stay encrypted end to end.",
				Required:            true,
			},
		},
	}
}

func entryGatewayAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Port between sidecar and gateway. Default: assigned.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"port": schema.Int64Attribute{
				MarkdownDescription: "Port that the sidecar dials on the policy's own Service; two policies may use the same. " +
					"From 1024 on it is also the port on the gateway's pods, where it must be free (15000 to 15099 and 15443 are Istio's); below, that one is assigned.",
				Required: true,
			},
		},
	}
}

func upgradeAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Makes the gateway speak TLS to the external service for requests that the workload sends in plain HTTP.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"enabled": schema.BoolAttribute{
				MarkdownDescription: "Whether to upgrade. `false` ignores `port`.",
				Required:            true,
			},
			"port": schema.Int64Attribute{
				MarkdownDescription: "HTTPS port of the external service, usually 443.",
				Required:            true,
			},
		},
	}
}

func tlsAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Refines the TLS of `https_upgrade`. Without it the server's certificate is verified against the system's root certificates and the requested host.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"mode": schema.StringAttribute{
				MarkdownDescription: "`SIMPLE` (default), or `MUTUAL` to present the client certificate of `credential_name`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(policy.Simple),
			},
			"credential_name": schema.StringAttribute{
				MarkdownDescription: "Secret in the gateway's namespace with `ca.crt`, for `MUTUAL` also `tls.crt` and `tls.key`. Maps to `credentialName` of the DestinationRule. " +
					"A plan that changes the policy looks which keys the Secret has (verb `get` on it), never at a value.",
				Optional: true,
			},
			"sni": schema.StringAttribute{
				MarkdownDescription: "Server name that the gateway sends. Default: the requested host. Needs `subject_alt_names`, since Istio checks no name otherwise.",
				Optional:            true,
			},
			"subject_alt_names": schema.ListAttribute{
				MarkdownDescription: "Names of which the server's certificate must carry one. Default: the requested host.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.NoNullValues()},
			},
			"insecure_skip_verify": schema.BoolAttribute{
				MarkdownDescription: "Accepts any certificate. Default: `false`.",
				Optional:            true,
			},
		},
	}
}

func retriesAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Retries of an HTTP entry by the gateway. Maps to `retries` of the VirtualService. Default: Istio's own, two attempts after failures to connect.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"attempts": schema.Int64Attribute{
				MarkdownDescription: "How often a failed request is retried; 0 switches retries off.",
				Required:            true,
			},
			"per_try_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout of each attempt, such as `2s`. Default: `timeout` of the entry.",
				Optional:            true,
			},
			"retry_on": schema.StringAttribute{
				MarkdownDescription: "Conditions of Envoy, separated by commas, such as `gateway-error,connect-failure`.",
				Optional:            true,
			},
		},
	}
}
