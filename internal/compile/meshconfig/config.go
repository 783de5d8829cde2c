package meshconfig

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Modes of outboundTrafficPolicy
// (istio.io/api/mesh/v1alpha1, MeshConfig.OutboundTrafficPolicy.Mode).
const (
	AllowAny     = "ALLOW_ANY"
	RegistryOnly = "REGISTRY_ONLY"
	// AllowAnyDynamicDNS is known to the mesh config only, since Istio 1.31.
	AllowAnyDynamicDNS = "ALLOW_ANY_DYNAMIC_DNS"
)

// Default is what sidecars do where no mesh config says a mode
// (istio.io/istio/pkg/config/mesh, DefaultMeshConfig).
const Default = AllowAny

// Key is the key of the ConfigMap that holds the text
// (istio.io/istio/pkg/kube/kubemesh, MeshConfigKey).
const Key = "mesh"

// ConfigMap returns where a control plane has its mesh config: in its own
// namespace, under a name that says the revision
// (pilot/pkg/bootstrap/mesh.go, getMeshConfigMapName).
func ConfigMap(namespace, revision string) manifest.ID {
	name := "istio"
	if revision != "" && revision != "default" {
		name += "-" + revision
	}
	return ConfigMapID(namespace, name)
}

// Revision returns the revision that a ConfigMap, such as
// "ConfigMap/istio-system/istio-canary", is of; "" for the default one.
func Revision(key string) string {
	revision, ok := strings.CutPrefix(key[strings.LastIndexByte(key, '/')+1:], "istio-")
	if !ok {
		return ""
	}
	return revision
}

// ConfigMapID returns the identity of a ConfigMap.
func ConfigMapID(namespace, name string) manifest.ID {
	return manifest.ID{GVK: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, Namespace: namespace, Name: name}
}

// modes are the values of the enum by their number, which the mesh config may
// say as well.
var modes = map[float64]string{0: RegistryOnly, 1: AllowAny, 3: AllowAnyDynamicDNS}

// The field, by its JSON name and by its proto name: istiod reads both, and
// the JSON name goes before (github.com/golang/protobuf/jsonpb).
const (
	fieldName  = "outboundTrafficPolicy"
	protoName  = "outbound_traffic_policy"
	modeName   = "mode"
	dnsCapture = "ISTIO_META_DNS_CAPTURE"
)

// Config is what this provider reads of a mesh config. What the text does not
// say is empty.
type Config struct {
	// OutboundMode is the mode as istiod reads it. A mode that it does not
	// know stands here as it is written: see Known.
	OutboundMode  string
	RootNamespace string
	TrustDomain   string
	// DNSCapture is defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE.
	DNSCapture string
}

// Known reports whether istiod knows a mode. Of a text with another it keeps
// what it had before (istio.io/istio/pkg/config/mesh/meshwatcher).
func Known(mode string) bool {
	return mode == AllowAny || mode == RegistryOnly || mode == AllowAnyDynamicDNS
}

// Parse reads a mesh config. It fails for what is no YAML mapping.
func Parse(text string) (Config, error) {
	tree, err := decode(text)
	if err != nil {
		return Config{}, err
	}
	mode, err := modeOf(tree)
	if err != nil {
		return Config{}, err
	}
	proxy, _ := tree["defaultConfig"].(map[string]any)
	metadata, _ := proxy["proxyMetadata"].(map[string]any)
	return Config{
		OutboundMode:  mode,
		RootNamespace: textAt(tree, "rootNamespace", "root_namespace"),
		TrustDomain:   textAt(tree, "trustDomain", "trust_domain"),
		DNSCapture:    textAt(metadata, dnsCapture),
	}, nil
}

// Over lays a mesh config over the one that istiod applies before it.
func (c Config) Over(shared Config) Config {
	first := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	return Config{
		OutboundMode:  first(c.OutboundMode, shared.OutboundMode),
		RootNamespace: first(c.RootNamespace, shared.RootNamespace),
		TrustDomain:   first(c.TrustDomain, shared.TrustDomain),
		DNSCapture:    first(c.DNSCapture, shared.DNSCapture),
	}
}

// decode reads the text as istiod does.
func decode(text string) (map[string]any, error) {
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("the mesh config is not YAML: %w", err)
	}
	switch tree := tree.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return tree, nil
	}
	return nil, errors.New("the mesh config is not a YAML mapping")
}

// effectiveName returns under which of its names istiod reads the field.
func effectiveName(tree map[string]any) string {
	if _, ok := tree[fieldName]; !ok {
		if _, ok := tree[protoName]; ok {
			return protoName
		}
	}
	return fieldName
}

// modeOf returns the mode that a config says, empty if none.
func modeOf(tree map[string]any) (string, error) {
	name := effectiveName(tree)
	switch policy := tree[name].(type) {
	case nil:
		return "", nil
	case map[string]any:
		switch mode := policy[modeName].(type) {
		case nil:
			return RegistryOnly, nil
		case string:
			return mode, nil
		case float64:
			if known, ok := modes[mode]; ok {
				return known, nil
			}
			return fmt.Sprint(mode), nil
		}
		return "", fmt.Errorf("%s.%s of the mesh config is not a string", name, modeName)
	}
	return "", fmt.Errorf("%s of the mesh config is not a mapping", name)
}

// textAt returns the first of the fields that is a string.
func textAt(tree map[string]any, names ...string) string {
	for _, name := range names {
		if value, ok := tree[name].(string); ok {
			return value
		}
	}
	return ""
}
