package cluster

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// kindInfo is what the API server's discovery would tell about a kind. A
// static table spares discovery, OpenAPI and the CRD list altogether.
type kindInfo struct {
	plural     string
	namespaced bool
	// istio kinds are custom resources whose spec the provider owns whole.
	istio bool
	// labelled kinds are listed by the label managed-by: clusters hold many of
	// them that have nothing to do with egress.
	labelled bool
}

var kinds = map[schema.GroupVersionKind]kindInfo{
	{Version: "v1", Kind: "Namespace"}:      {plural: "namespaces"},
	{Version: "v1", Kind: "Service"}:        {plural: "services", namespaced: true},
	{Version: "v1", Kind: "ServiceAccount"}: {plural: "serviceaccounts", namespaced: true, labelled: true},
	{Version: "v1", Kind: "ConfigMap"}:      {plural: "configmaps", namespaced: true, labelled: true},
	{Version: "v1", Kind: "Secret"}:         {plural: "secrets", namespaced: true, labelled: true},
	{Version: "v1", Kind: "Pod"}:            {plural: "pods", namespaced: true},
	{Version: "v1", Kind: "Event"}:          {plural: "events", namespaced: true},

	{Group: "apps", Version: "v1", Kind: "Deployment"}: {plural: "deployments", namespaced: true, labelled: true},
	{Group: "apps", Version: "v1", Kind: "ReplicaSet"}: {plural: "replicasets", namespaced: true},

	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}:        {plural: "roles", namespaced: true, labelled: true},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"}: {plural: "rolebindings", namespaced: true, labelled: true},

	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}: {plural: "horizontalpodautoscalers", namespaced: true, labelled: true},
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}:          {plural: "poddisruptionbudgets", namespaced: true, labelled: true},
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}:     {plural: "networkpolicies", namespaced: true, labelled: true},

	{Group: "networking.istio.io", Version: "v1", Kind: "Gateway"}:         {plural: "gateways", namespaced: true, istio: true},
	{Group: "networking.istio.io", Version: "v1", Kind: "VirtualService"}:  {plural: "virtualservices", namespaced: true, istio: true},
	{Group: "networking.istio.io", Version: "v1", Kind: "ServiceEntry"}:    {plural: "serviceentries", namespaced: true, istio: true},
	{Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"}: {plural: "destinationrules", namespaced: true, istio: true},
	{Group: "networking.istio.io", Version: "v1", Kind: "Sidecar"}:         {plural: "sidecars", namespaced: true, istio: true},

	{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"}: {plural: "authorizationpolicies", namespaced: true, istio: true},
	{Group: "telemetry.istio.io", Version: "v1", Kind: "Telemetry"}:          {plural: "telemetries", namespaced: true, istio: true},
}

// kindOf returns the table's row of a kind.
func kindOf(gvk schema.GroupVersionKind) (kindInfo, error) {
	info, ok := kinds[gvk]
	if !ok {
		return kindInfo{}, fmt.Errorf("%s: %w", gvk, errNoKind)
	}
	return info, nil
}

// ResourceOf returns a kind as kubectl takes it: "gateways.networking.istio.io".
func ResourceOf(gvk schema.GroupVersionKind) string {
	return schema.GroupResource{Group: gvk.Group, Resource: kinds[gvk].plural}.String()
}

// pathOf returns the URL path of a collection, or of one object of it.
func pathOf(gvk schema.GroupVersionKind, namespace, name string) ([]string, error) {
	info, err := kindOf(gvk)
	if err != nil {
		return nil, err
	}
	path := []string{"/apis", gvk.Group, gvk.Version}
	if gvk.Group == "" {
		path = []string{"/api", gvk.Version}
	}
	if info.namespaced && namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	path = append(path, info.plural)
	if name != "" {
		path = append(path, name)
	}
	return path, nil
}

// crdName returns the name of the CustomResourceDefinition of an Istio kind,
// empty for a built-in kind.
func crdName(gvk schema.GroupVersionKind) string {
	if info := kinds[gvk]; info.istio {
		return info.plural + "." + gvk.Group
	}
	return ""
}

// idOf returns the identity of a live object.
func idOf(gvk schema.GroupVersionKind, namespace, name string) manifest.ID {
	return manifest.ID{GVK: gvk, Namespace: namespace, Name: name}
}
