package mesh

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Schema implements datasource.DataSource.
func (d *DataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	flag := func(description string) schema.BoolAttribute {
		return schema.BoolAttribute{MarkdownDescription: description, Computed: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The Istio control plane, and what sidecars do with traffic to hosts that nobody declared: for the mesh, and where a Sidecar says otherwise. " +
			"Read from istiod's mesh config (ConfigMap `istio` or `istio-<revision>`, and the one of istiod's `SHARED_MESH_CONFIG`), its Deployment, and all Sidecars.",
		Attributes: map[string]schema.Attribute{
			"revision": schema.StringAttribute{
				MarkdownDescription: "Revision of the control plane. Default: the `revision` of the provider.",
				Optional:            true,
			},
			"version": text("Version of istiod, from its Deployment `istiod` or `istiod-<revision>`: the label `" + labelVersion + "`, else the tag of the image. Null if neither says one, as for a control plane outside of the cluster."),
			"revisions": schema.MapAttribute{
				MarkdownDescription: "Versions of all control planes in the provider's `istio_namespace`, by revision (`default` for the one without); an empty text where a Deployment does not say its version.",
				ElementType:         types.StringType, Computed: true,
			},
			"root_namespace": text("Namespace whose Sidecar holds for every namespace without one."),
			"trust_domain":   text("Trust domain of the mesh."),
			"dns_capture":    flag("Whether sidecars answer DNS queries of their workloads, by the mesh config's `ISTIO_META_DNS_CAPTURE`."),
			"outbound_mode":  text("What holds for undeclared hosts where a namespace has no Sidecar: `ALLOW_ANY`, `REGISTRY_ONLY` or `ALLOW_ANY_DYNAMIC_DNS`. Null if the mesh config decides and may not be read."),
			"outbound": schema.ListNestedAttribute{
				MarkdownDescription: "What holds at each scope: the mesh first, then every Sidecar outside of the root namespace, oldest first.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"scope":     text("`mesh`, `namespace` or `workload`."),
					"namespace": text("Namespace of the Sidecar; null for the mesh."),
					"name":      text("Name of the Sidecar; null for the mesh."),
					"workload_selector": schema.MapAttribute{
						MarkdownDescription: "Labels that the Sidecar selects, at scope `workload`.",
						ElementType:         types.StringType, Computed: true,
					},
					"level":  text("Which level says the mode: `workload`, `namespace`, `root_namespace`, `mesh` or `default`, Istio's own."),
					"object": text("The Sidecar or ConfigMap that says it, as `Kind/namespace/name`. For a Sidecar that an older one hides, that one."),
					"mode":   text("The mode."),
				}},
			},
			"ambient_namespaces": schema.SetAttribute{
				MarkdownDescription: "Namespaces in ambient mode: no mode binds them. Null if namespaces may not be listed.",
				ElementType:         types.StringType, Computed: true,
			},
			"egress_enforced": flag("Whether undeclared hosts are refused to every workload that goes through a sidecar: the mode is `REGISTRY_ONLY` at every scope, and no namespace is in ambient mode. " +
				"It says nothing of workloads without a sidecar, or that get around theirs. Null if a part of that is not known."),
		},
	}
}
