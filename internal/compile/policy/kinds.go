package policy

import "k8s.io/apimachinery/pkg/runtime/schema"

// Kinds returns every kind that a policy becomes.
func Kinds() []schema.GroupVersionKind {
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	return []schema.GroupVersionKind{
		networking.WithKind("Gateway"),
		{Version: "v1", Kind: "Service"},
		networking.WithKind("ServiceEntry"),
		networking.WithKind("VirtualService"),
		networking.WithKind("DestinationRule"),
		{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"},
	}
}
