package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// source is where objects come from.
type source struct {
	kubeconfig, context string
	namespaces, files   []string
	all                 bool
}

// kinds are listed in the namespaces that are read.
var kinds = []schema.GroupVersionKind{
	{Group: "networking.istio.io", Version: "v1", Kind: "ServiceEntry"},
	{Group: "networking.istio.io", Version: "v1", Kind: "VirtualService"},
	{Group: "networking.istio.io", Version: "v1", Kind: "Gateway"},
	{Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"},
	{Group: "networking.istio.io", Version: "v1", Kind: "Sidecar"},
	{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"},
	{Version: "v1", Kind: "Service"},
	{Group: "apps", Version: "v1", Kind: "Deployment"},
}

// configMap is listed in Istio's namespace only: it has the mesh config.
var configMap = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

// readCluster lists what can be part of egress. It sends nothing but LISTs.
func readCluster(ctx context.Context, o options) ([]*yaml.Node, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.context}).ClientConfig()
	if err != nil {
		return nil, err
	}
	client, err := cluster.New(config, cluster.Options{Version: "adopt", Endpoint: "the kubeconfig"})
	if err != nil {
		return nil, err
	}
	namespaces := []string{""}
	if !o.all {
		namespaces = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(o.namespaces), o.RootNamespace, o.GatewayNamespace))))
	}
	var nodes []*yaml.Node
	list := func(gvk schema.GroupVersionKind, namespace string) error {
		objects, err := client.List(ctx, gvk, namespace, "")
		if err != nil {
			summary, detail := cluster.Explain(err)
			return fmt.Errorf("%s: %s", summary, detail)
		}
		for _, object := range objects {
			if gvk == configMap && !isMeshConfig(object.GetName()) {
				continue
			}
			text, err := json.Marshal(object.Object)
			if err != nil {
				return err
			}
			parsed, err := parseObject(text)
			if err != nil {
				return err
			}
			nodes = append(nodes, parsed)
		}
		return nil
	}
	for _, gvk := range kinds {
		for _, namespace := range namespaces {
			if err := list(gvk, namespace); err != nil {
				return nil, err
			}
		}
	}
	return nodes, list(configMap, o.RootNamespace)
}

// isMeshConfig reports whether a ConfigMap may have the mesh config: `istio`,
// or `istio-<revision>`, of which others of the name have no key `mesh`.
func isMeshConfig(name string) bool {
	return name == "istio" || strings.HasPrefix(name, "istio-")
}

// parseObject reads one object of the API server. It has no lines that could be
// shown.
func parseObject(text []byte) (*yaml.Node, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	withoutLines(&node)
	return node.Content[0], nil
}

func withoutLines(node *yaml.Node) {
	node.Line = 0
	for _, below := range node.Content {
		withoutLines(below)
	}
}

// readFiles reads the objects of files and directories. Lines are kept of a
// single text only: a finding names no file.
func readFiles(names []string, stdin io.Reader) ([]*yaml.Node, error) {
	var paths []string
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-":
			paths = append(paths, name)
			continue
		case err != nil:
			return nil, err
		case !info.IsDir():
			paths = append(paths, name)
			continue
		}
		for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
			found, err := filepath.Glob(filepath.Join(name, pattern))
			if err != nil {
				return nil, err
			}
			paths = append(paths, found...)
		}
	}
	var nodes []*yaml.Node
	for _, path := range paths {
		text, err := readText(path, stdin)
		if err != nil {
			return nil, err
		}
		found, err := objects(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		nodes = append(nodes, found...)
	}
	if len(paths) > 1 {
		for _, node := range nodes {
			withoutLines(node)
		}
	}
	return nodes, nil
}

func readText(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

// objects returns the objects of a stream, those in Lists among them.
func objects(text []byte) ([]*yaml.Node, error) {
	documents, err := fields.Documents(string(text))
	if err != nil {
		return nil, err
	}
	var found []*yaml.Node
	for _, document := range documents {
		var problems fields.Problems
		root := fields.Root(&problems, document, "")
		items, isList := root.Child("items")
		switch {
		case isList && strings.HasSuffix(root.Peek("kind"), "List"):
			for _, item := range items.List() {
				found = append(found, item.Node)
			}
		case root.Peek("kind") == "" || document.Kind != yaml.MappingNode:
			return nil, fmt.Errorf("line %d: this is no Kubernetes object", document.Line)
		default:
			found = append(found, document)
		}
		if err := problems.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}
