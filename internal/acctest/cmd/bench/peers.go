package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// peer is a provider of Kubernetes manifests: what users would take instead.
type peer struct {
	tool     testbed.Tool
	source   string
	provider string // the provider block, with the path of the kubeconfig
	resource string // the resource of one manifest, each.value
}

var peers = map[string]peer{
	kubectlManifest: {
		tool: testbed.PeerKubectl, source: "gavinbunney/kubectl",
		provider: "provider \"kubectl\" {\n  config_path = %q\n}\n",
		resource: `
resource "kubectl_manifest" "o" {
  for_each          = local.objects
  yaml_body         = each.value
  server_side_apply = true
}
`,
	},
}

// manifests measures a peer: one resource for each object of each policy.
func (l *lab) manifests(ctx context.Context, name string, made work) (life, error) {
	p := peers[name]
	paths, err := testbed.Ensure(ctx, l.progress, p.tool)
	if err != nil {
		return life{}, err
	}
	local := filepath.Base(p.source)
	w, err := l.workspace(name, edited+fmt.Sprintf(`
terraform {
  required_providers {
    %s = { source = %q }
  }
}
`, local, p.source)+fmt.Sprintf(p.provider, l.controlPlane.Kubeconfig)+`
locals {
  objects = jsondecode(file(var.edited ? "edited.json" : "objects.json"))
}
`+p.resource)
	if err != nil {
		return life{}, err
	}
	installation := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", p.source, filepath.Dir(paths[p.tool]))
	if err := w.WriteFile(workspace.CLIConfig, installation); err != nil {
		return life{}, err
	}
	for file, objects := range map[string][]object{"objects.json": made.objects, "edited.json": made.afterChange()} {
		text, err := asMap(objects)
		if err != nil {
			return life{}, err
		}
		if err := w.WriteFile(file, text); err != nil {
			return life{}, err
		}
	}
	return l.live(ctx, w, paths[p.tool], administrator, commands(false, nil, nil))
}

// asMap is a JSON document: from key to manifest, which is text.
func asMap(objects []object) (string, error) {
	all := map[string]string{}
	for _, o := range objects {
		text, err := o.body.MarshalJSON()
		if err != nil {
			return "", err
		}
		all[o.key()] = string(text)
	}
	text, err := json.Marshal(all)
	return string(text), err
}
