package gateway

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/nested"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An egress gateway: the pods through which traffic leaves the mesh, by Istio's gateway injection, with any Istio install and any revision.\n\n" +
			"It becomes a Deployment, a Service, a ServiceAccount with a Role for the certificates of TLS origination, an AuthorizationPolicy " +
			"that admits nothing until an `istio_egress_traffic_policy` does, a Telemetry object for the access log and, if asked for, " +
			"a HorizontalPodAutoscaler, a PodDisruptionBudget and a NetworkPolicy. Its namespace must exist, and injection must not be switched off in it.",
		Attributes: map[string]schema.Attribute{},
	}
	for _, part := range []map[string]schema.Attribute{
		identityAttributes(), serviceAttributes(), scalingAttributes(), schedulingAttributes(),
		podAttributes(), securityAttributes(), operationAttributes(), computedAttributes(),
	} {
		for name, attribute := range part {
			resp.Schema.Attributes[name] = attribute
		}
	}
	resp.Schema.Attributes["timeouts"] = timeouts.AttributesAll(ctx)
	nested.Settle(resp.Schema.Attributes)
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (r *Resource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"namespace": identityschema.StringAttribute{RequiredForImport: true, Description: "Namespace of the gateway."},
		"name":      identityschema.StringAttribute{RequiredForImport: true, Description: "Name of the gateway."},
	}}
}

// defaults are the values of attributes that the configuration leaves out.
var defaults = workload.Defaults()

func identityAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Name of the gateway and of its Deployment and Service; the pods carry the label `istio: <name>`. "+
				"A DNS label of at most %d characters. Changing it replaces the gateway.", workload.MaxNameLength),
			Required:      true,
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			Validators:    []validator.String{check.String(workload.CheckName)},
		},
		"namespace": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Namespace of the gateway. It must exist, and must not be Istio's root namespace. Default: `%s`. Changing it replaces the gateway.", defaults.Namespace),
			Optional:            true,
			Computed:            true,
			Default:             stringdefault.StaticString(defaults.Namespace),
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			Validators:          []validator.String{check.String(workload.CheckNamespace)},
		},
		"labels":      optionalMap("Labels of every object of the gateway. Labels of the pods are set by `pod.labels`.", workload.CheckLabels),
		"annotations": optionalMap("Annotations of every object of the gateway. Annotations of the pods are set by `pod.annotations`.", workload.CheckAnnotations),
		"revision": optionalString("Control plane revision that injects and configures the gateway: label `istio.io/rev` of the pods and of every object. "+
			"A label `istio.io/rev` on the namespace goes first. Default: the `revision` of the provider.", workload.CheckRevision),
	}
}

// flag is a Boolean with a default.
func flag(description string, value bool) schema.BoolAttribute {
	return schema.BoolAttribute{
		MarkdownDescription: fmt.Sprintf("%s Default: `%t`.", description, value),
		Optional:            true,
		Computed:            true,
		Default:             booldefault.StaticBool(value),
	}
}

func securityAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"run_as_root": flag("Run the proxy as user and group 0 with the capability `NET_BIND_SERVICE`, so that target ports below 1024 can be opened. "+
			"Otherwise it runs as Istio's own user 1337, without privileges and capabilities. The namespace's Pod Security level must allow it.", defaults.RunAsRoot),
		"mutual_tls": flag("Sidecars speak mutual TLS to this gateway (Istio certificates, `ISTIO_MUTUAL`), which is how it knows who calls. "+
			"`false`: they speak plain text, the gateway knows nobody, `authorization` must be `none`, and policies cannot be held to service accounts. "+
			"It is part of `reference` and takes effect in the policies that use the gateway.", defaults.MutualTLS),
		"authorization": schema.StringAttribute{
			MarkdownDescription: "What happens to callers that no policy admits. `allow_listed`: an AuthorizationPolicy refuses them, at every port of the pods; needs `mutual_tls`. " +
				"`none`: no such object, the gateway serves whoever reaches it and knows a route. Default: `" + defaults.Authorization + "`.",
			Optional:   true,
			Computed:   true,
			Default:    stringdefault.StaticString(defaults.Authorization),
			Validators: []validator.String{check.String(workload.CheckOneOf(workload.Authorizations))},
		},
		"network_policy": flag("A NetworkPolicy that lets only pods with a sidecar (label `security.istio.io/tlsMode: istio`, which injection sets) connect to the gateway; "+
			"the ports for health and metrics (15020, 15021, 15090) stay open to all. Outgoing traffic is not restricted. It has an effect only where the cluster's network enforces NetworkPolicies.", defaults.NetworkPolicy),
		"access_log": flag("A Telemetry object that switches Envoy's access log on for these pods, to standard output: a line per request, with the policy's entry as requested server name. Istio's default is off.", defaults.AccessLog),
	}
}

func operationAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"wait_for_rollout": flag("Create and update wait until the Deployment has rolled out. If it does not, the error has the reason that the Deployment or its pods give.", defaults.WaitForRollout),
		"force_destroy": flag("Destroy the gateway although policies use it: their traffic stops. Otherwise destroy is refused, with a list of the policies, of this workspace and others. "+
			"A change counts once it is applied.", defaults.ForceDestroy),
	}
}

func computedAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"service_host": computedString("DNS name of the Service, such as `egressgateway.istio-egress.svc.cluster.local`."),
		"cluster_ip":   computedString("Cluster IP of the Service."),
		"load_balancer_ingress": schema.ListNestedAttribute{
			MarkdownDescription: "Addresses of the load balancer, empty while there is none.",
			Computed:            true,
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"ip":       computedString("IP address, if the load balancer has one."),
				"hostname": computedString("DNS name, if the load balancer has one."),
			}},
		},
		"selector":        computedMap("Labels by which Istio objects such as Gateway select the pods."),
		"service_account": computedString("Service account of the pods."),
		"reference": schema.SingleNestedAttribute{
			MarkdownDescription: "What `by_egress_gateway` of an `istio_egress_traffic_policy` takes. The plan knows it.",
			Computed:            true,
			Attributes: map[string]schema.Attribute{
				"name":            computedString("Name of the gateway."),
				"namespace":       computedString("Namespace of the gateway."),
				"selector":        computedMap("Labels of its pods."),
				"mutual_tls":      schema.BoolAttribute{MarkdownDescription: "Whether sidecars speak mutual TLS to it.", Computed: true},
				"authorization":   computedString("What happens to callers that no policy admits."),
				"revision":        computedString("Its control plane revision."),
				"service_account": computedString("Service account of its pods, the identity that sidecars hold it to."),
			},
		},
		"manifests": computedMap("Objects of the gateway, by `Kind/namespace/name`. The value is a digest of the object, or its canonical JSON if the provider's `manifest_detail` is `full`."),
		"drift": computedMap("What others changed in the cluster since the last apply, by the keys of `manifests`: " +
			"per differing field its live value, the field manager and the value that the next apply puts back. Empty when all is well."),
	}
}

func portAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"name": requiredString("Name of the port, unique. Istio reads the protocol from it where `app_protocol` is not set, such as `http-web` or `tls`.", workload.CheckPortName),
		"port": requiredInt("Port of the Service.", workload.CheckPort),
		"target_port": optionalInt("Port of the pods. At least 1024 unless `run_as_root`, and none that Istio uses itself "+
			"(15000 to 15099 but for 15020, 15021 and 15090, and 15443). Default: the same as `port`.", workload.CheckPort),
		"protocol":     oneOf("Transport protocol. Default: `TCP`.", workload.Transports),
		"app_protocol": optionalString("Application protocol, such as `http`, `https`, `tcp` or `kubernetes.io/h2c`.", workload.CheckAppProtocol),
		"node_port":    optionalInt("Port on every node, for the Service types `NodePort` and `LoadBalancer`. Default: one that Kubernetes assigns.", workload.CheckPort),
	}
}

// portsValue returns ports as the value of the attribute `ports`.
func portsValue(ports []workload.Port) types.List {
	element := schema.NestedAttributeObject{Attributes: portAttributes()}.Type()
	value, diags := types.ListValueFrom(context.Background(), element, ports)
	if diags.HasError() {
		panic(fmt.Sprintf("gateway: ports do not fit their schema: %v", diags))
	}
	return value
}

func serviceAttributes() map[string]schema.Attribute {
	ports := schema.ListNestedAttribute{
		MarkdownDescription: "Ports of the gateway's Service. Traffic policies bring Services of their own: these are for Gateway objects that you write. " +
			"Default: `http` 80 to 8080 and `https` 443 to 8443.",
		Optional:     true,
		Computed:     true,
		NestedObject: schema.NestedAttributeObject{Attributes: portAttributes()},
		Validators:   []validator.List{listvalidator.NoNullValues(), listvalidator.SizeAtLeast(1)},
		Default:      listdefault.StaticValue(portsValue(defaults.Ports)),
	}
	return map[string]schema.Attribute{
		"ports": ports,
		"service": optionalObject("How the gateway's Service is exposed.", map[string]schema.Attribute{
			"type":                        oneOf("Type of the Service. Default: `ClusterIP`.", workload.ServiceTypes),
			"annotations":                 optionalMap("Annotations of the Service alone, such as those that cloud load balancers read.", workload.CheckAnnotations),
			"labels":                      optionalMap("Labels of the Service alone.", workload.CheckLabels),
			"load_balancer_ip":            optionalString("Address that the load balancer shall have, where the cloud supports it.", workload.CheckIP),
			"load_balancer_class":         optionalString("Implementation of the load balancer. Kubernetes does not let it change."),
			"load_balancer_source_ranges": optionalList("Address ranges that may use the load balancer.", workload.CheckCIDR),
			"external_traffic_policy":     oneOf("Where traffic from outside goes: to all nodes, or only to pods of the node that it reaches, which keeps the client's address.", workload.TrafficPolicies),
			"internal_traffic_policy":     oneOf("Where traffic from inside goes: to all pods, or only to pods of the same node.", workload.TrafficPolicies),
			"session_affinity":            oneOf("Whether a client stays with a pod.", workload.SessionAffinities),
			"ip_families":                 optionalList("IP families of the Service, the first being that of `cluster_ip`. Each is one of "+oneOfText(workload.IPFamilies)+".", workload.CheckOneOf(workload.IPFamilies)),
			"ip_family_policy":            oneOf("Whether the Service has one IP family or two.", workload.IPFamilyPolicies),
		}),
	}
}

func scalingAttributes() map[string]schema.Attribute {
	quantities := func(description string) schema.MapAttribute {
		attribute := optionalMap(description+" By resource name, such as `cpu = \"100m\"`. Another spelling of the same value is no change.", workload.CheckQuantities)
		attribute.PlanModifiers = []planmodifier.Map{equalQuantities{}}
		return attribute
	}
	return map[string]schema.Attribute{
		"replicas": optionalInt("Number of pods. Not together with `autoscaling`. Default: Kubernetes starts one, and the number is left to whoever scales the Deployment."),
		"autoscaling": optionalObject("A HorizontalPodAutoscaler for the Deployment.", map[string]schema.Attribute{
			"min_replicas": optionalInt("Lower bound of the number of pods. Default: 1."),
			"max_replicas": requiredInt("Upper bound of the number of pods; may equal `min_replicas`."),
			"cpu_utilization": optionalInt("Average CPU use of the pods that is aimed at, in percent of what they request. " +
				"If both utilizations are set, the one that asks for more pods counts. Default: 80 if `memory_utilization` is not set either."),
			"memory_utilization": optionalInt("Average memory use of the pods that is aimed at, in percent of what they request."),
		}),
		"rolling_update": optionalObject("How pods are replaced by an update.", map[string]schema.Attribute{
			"max_unavailable": optionalString("How many pods may be missing: a number such as `\"1\"`, or a percentage such as `\"25%\"`. Default: `\"25%\"`.", workload.CheckAmount),
			"max_surge":       optionalString("How many pods there may be beyond the number wanted: a number or a percentage. Default: `\"25%\"`.", workload.CheckAmount),
		}),
		"resources": optionalObject("Resources of the proxy container. Default: those of Istio's gateway chart, "+
			"requests of `100m` CPU and `128Mi` memory, limits of `2` CPU and `1Gi` memory.", map[string]schema.Attribute{
			"requests": quantities("What each pod is guaranteed."),
			"limits":   quantities("What each pod may use at most."),
		}),
		"pod_disruption_budget": optionalObject("A PodDisruptionBudget, which bounds evictions by node maintenance. Exactly one of its attributes is set.", map[string]schema.Attribute{
			"min_available":   optionalString("How many pods must stay: a number or a percentage.", workload.CheckAmount),
			"max_unavailable": optionalString("How many pods may be missing: a number or a percentage.", workload.CheckAmount),
		}),
	}
}
