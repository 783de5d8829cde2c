package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// Schema implements datasource.DataSource.
func (d *DataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	texts := func(description string) schema.MapAttribute {
		return schema.MapAttribute{MarkdownDescription: description, ElementType: types.StringType, Computed: true}
	}
	flag := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{MarkdownDescription: description, Computed: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "An egress gateway that exists, whoever installed it: Helm, istioctl, another workspace. " +
			"Its `reference` is what `by_egress_gateway` of an `istio_egress_traffic_policy` takes.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the gateway's Service and Deployment. Helm names them after the release, istioctl `istio-egressgateway`.",
				Required:            true,
			},
			"namespace": schema.StringAttribute{
				MarkdownDescription: "Namespace of the gateway. Default: `" + defaults.Namespace + "`.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{check.String(workload.CheckNamespace)},
			},
			"service_host": text("DNS name of the Service, if there is one."),
			"cluster_ip":   text("Cluster IP of the Service."),
			"load_balancer_ingress": schema.ListNestedAttribute{
				MarkdownDescription: "Addresses of the load balancer, empty if there is none.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"ip":       text("IP address, if the load balancer has one."),
					"hostname": text("DNS name, if the load balancer has one."),
				}},
			},
			"selector":        texts("Labels by which Istio objects such as Gateway select the pods: those of the Service, or of the Deployment if there is no Service."),
			"service_account": text("Service account of the pods: that of the Deployment of this name, where the Service leads to its pods, else null."),
			"mutual_tls":      flag("Whether sidecars speak mutual TLS to the gateway: what its `istio_egress_gateway` says, else `true`."),
			"authorization":   text("`allow_listed` if the gateway refuses callers that no policy admits, by the AuthorizationPolicy that `istio_egress_gateway` makes; else `none`."),
			"revision":        text("Control plane revision that the pods ask for, if they do."),
			"ports": schema.ListNestedAttribute{
				MarkdownDescription: "Ports of the Service.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":         text("Name of the port."),
					"port":         schema.Int64Attribute{MarkdownDescription: "Port of the Service.", Computed: true},
					"target_port":  schema.Int64Attribute{MarkdownDescription: "Port of the pods; null where the Service names one that the Deployment does not have.", Computed: true},
					"protocol":     text("Transport protocol."),
					"app_protocol": text("Application protocol."),
					"node_port":    schema.Int64Attribute{MarkdownDescription: "Port on every node.", Computed: true},
				}},
			},
			"reference": schema.SingleNestedAttribute{
				MarkdownDescription: "What `by_egress_gateway` of an `istio_egress_traffic_policy` takes.",
				Computed:            true,
				Attributes: map[string]schema.Attribute{
					"name":            text("Name of the gateway."),
					"namespace":       text("Namespace of the gateway."),
					"selector":        texts("Labels of its pods."),
					"mutual_tls":      flag("Whether sidecars speak mutual TLS to it."),
					"authorization":   text("What happens to callers that no policy admits."),
					"revision":        text("Its control plane revision."),
					"service_account": text("Service account of its pods, the identity that sidecars hold it to; null where that is not known."),
				},
			},
		},
	}
}

// dataPortType is the type of an element of `ports`.
func dataPortType() attr.Type {
	return types.ObjectType{AttrTypes: map[string]attr.Type{
		"name": types.StringType, "port": types.Int64Type, "target_port": types.Int64Type,
		"protocol": types.StringType, "app_protocol": types.StringType, "node_port": types.Int64Type,
	}}
}
