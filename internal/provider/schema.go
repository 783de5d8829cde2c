package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Schema is the provider block.
func (p *Provider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	attributes := connectionAttributes()
	for name, attribute := range meshAttributes() {
		attributes[name] = attribute
	}
	for name, attribute := range behaviourAttributes() {
		attributes[name] = attribute
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Egress control for an Istio mesh. The connection to the cluster is configured by the same attributes and " +
			"environment variables as in the `hashicorp/kubernetes` provider.",
		Attributes: attributes,
		Blocks:     map[string]schema.Block{"exec": execBlock()},
	}
}

// connectionAttributes are the attributes that hashicorp/kubernetes has too.
func connectionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"host": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Address of the API server, such as `https://10.0.0.1:6443`. Goes over the server of a kubeconfig file. " +
				"Can be set with `KUBE_HOST`.",
		},
		"token": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "Bearer token, such as that of a service account. Can be set with `KUBE_TOKEN`.",
			Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRoot("exec"))},
		},
		"cluster_ca_certificate": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "PEM certificates that the API server's certificate is checked against. Can be set with `KUBE_CLUSTER_CA_CERT_DATA`.",
		},
		"client_certificate": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "PEM client certificate, together with `client_key`. Can be set with `KUBE_CLIENT_CERT_DATA`.",
		},
		"client_key": schema.StringAttribute{
			Optional: true, Sensitive: true,
			MarkdownDescription: "PEM key of `client_certificate`. Can be set with `KUBE_CLIENT_KEY_DATA`.",
		},
		"insecure": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Do not check the API server's certificate. Excludes `cluster_ca_certificate`. Can be set with `KUBE_INSECURE`. " +
				"Default `false`.",
		},
		"tls_server_name": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Name that is sent as SNI and that the API server's certificate must have, where it is not that of the address. " +
				"Can be set with `KUBE_TLS_SERVER_NAME`.",
		},
		"proxy_url": schema.StringAttribute{
			Optional: true,
			// It may hold a password.
			Sensitive: true,
			MarkdownDescription: "Proxy for all requests, with the scheme `http`, `https` or `socks5`. Can be set with `KUBE_PROXY_URL`; " +
				"without it `HTTPS_PROXY` and `NO_PROXY` count.",
		},
		"config_path": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Path of a kubeconfig file; `~` is the home directory. Can be set with `KUBE_CONFIG_PATH`. There is no default: " +
				"`~/.kube/config` and `KUBECONFIG` are not read unless they are named here.",
			Validators: []validator.String{stringvalidator.ConflictsWith(path.MatchRoot("config_paths"))},
		},
		"config_paths": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Paths of several kubeconfig files that are merged as `kubectl` does. Can be set with `KUBE_CONFIG_PATHS`, " +
				"separated like `PATH`.",
		},
		"config_context": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Context of the kubeconfig files. Default: their current context. Can be set with `KUBE_CTX`.",
		},
		"config_context_cluster": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Cluster of the kubeconfig files, in place of the context's. Can be set with `KUBE_CTX_CLUSTER`.",
		},
		"config_context_auth_info": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "User of the kubeconfig files, in place of the context's. Can be set with `KUBE_CTX_AUTH_INFO`.",
		},
		"qps": schema.Float64Attribute{
			Optional: true,
			MarkdownDescription: "Requests per second to the API server. Default: no limit; API Priority and Fairness of the server " +
				"shares it out.",
			Validators: []validator.Float64{float64validator.AtLeast(0.1)},
		},
		"burst": schema.Int64Attribute{
			Optional:            true,
			MarkdownDescription: "Requests that may be sent at once while `qps` limits them. Default: twice `qps`.",
			Validators: []validator.Int64{
				int64validator.Between(1, 1<<31-1),
				int64validator.AlsoRequires(path.MatchRoot("qps")),
			},
		},
	}
}

func execBlock() schema.Block {
	return schema.ListNestedBlock{
		MarkdownDescription: "[Credential plugin](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins): " +
			"a command that prints a token or a certificate, such as `aws eks get-token`. Excludes `token`. At most one block.",
		Validators: []validator.List{listvalidator.SizeAtMost(1)},
		NestedObject: schema.NestedBlockObject{
			Attributes: map[string]schema.Attribute{
				"api_version": schema.StringAttribute{
					Required: true,
					MarkdownDescription: "API version of what the plugin prints: `client.authentication.k8s.io/v1` or " +
						"`client.authentication.k8s.io/v1beta1`.",
					Validators: []validator.String{
						stringvalidator.OneOf("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"),
					},
				},
				"command": schema.StringAttribute{
					Required:            true,
					MarkdownDescription: "The command: a path, or a name that is looked up in `PATH`.",
					Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
				},
				"args": schema.ListAttribute{
					Optional: true, ElementType: types.StringType,
					MarkdownDescription: "Arguments of the command.",
				},
				"env": schema.MapAttribute{
					Optional: true, Sensitive: true, ElementType: types.StringType,
					MarkdownDescription: "Environment variables for the command, beside those of Terraform.",
				},
			},
		},
	}
}

// label is a DNS label (RFC 1123), which namespaces and the parts of domains are.
const label = `[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`

func domain() validator.String {
	return stringvalidator.RegexMatches(regexp.MustCompile(`^`+label+`(\.`+label+`)*$`),
		"must be a domain of lower case letters, digits, `-` and `.`, such as cluster.local")
}

// meshAttributes are the facts of the mesh that generated objects say.
func meshAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"istio_namespace": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Istio's root namespace, where its mesh config is. Default `" + settings.DefaultRootNamespace + "`. " +
				"A gateway or a policy source in it is refused: objects there act on the whole mesh.",
			Validators: []validator.String{stringvalidator.RegexMatches(regexp.MustCompile(`^`+label+`$`),
				"must be the name of a namespace: lower case letters, digits and `-`")},
		},
		"revision": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Revision or revision tag of the control plane: the label `istio.io/rev` of objects and gateway pods, " +
				"unless a resource says another. Default: none, which is the default control plane.",
			// A label value, as the operator of Service Mesh Manager makes revisions with a dot in them.
			Validators: []validator.String{
				stringvalidator.LengthAtMost(63),
				stringvalidator.RegexMatches(regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`),
					"must be a label value: letters, digits, `-`, `_` and `.`"),
			},
		},
		"trust_domain": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Trust domain of the mesh, `meshConfig.trustDomain`: the first part of every identity that a gateway checks. " +
				"Where the cluster answers it is compared with the mesh config. Default `" + settings.DefaultTrustDomain + "`.",
			Validators: []validator.String{domain()},
		},
		"trust_domain_aliases": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Further trust domains whose identities count, as in `meshConfig.trustDomainAliases`: " +
				"for a mesh that moves from one trust domain to another.",
			Validators: []validator.List{listvalidator.UniqueValues(), listvalidator.ValueStringsAre(domain())},
		},
		"cluster_domain": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "DNS domain of the cluster's Services. Default `" + settings.DefaultClusterDomain + "`.",
			Validators:          []validator.String{domain()},
		},
	}
}

// behaviourAttributes decide how objects are written and shown.
func behaviourAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"owner_id": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "A stable name for this configuration, such as that of its workspace, which stands in the owner annotation of " +
				"every object. A create that was killed before Terraform saved its state is then taken up again by the next apply; without it the next " +
				"apply refuses the objects and prints the import command. Two configurations that manage the same objects must not share it.",
			Validators: []validator.String{stringvalidator.LengthBetween(1, 253)},
		},
		"force_conflicts": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Take fields over from other field managers on every update. Default `false`: what a plan showed as drift is taken back, " +
				"and a field that somebody else took since is an error that names them.",
		},
		"manifest_detail": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "What `manifests` of the resources holds for each generated object: `digest` (default), or `full` for its JSON, so that a plan " +
				"shows a diff of every field. `full` makes a state several times as large, and with hundreds of policies each apply slower.",
			Validators: []validator.String{stringvalidator.OneOf(string(manifest.DetailDigest), string(manifest.DetailFull))},
		},
	}
}
