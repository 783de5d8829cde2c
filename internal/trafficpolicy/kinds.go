package trafficpolicy

import "k8s.io/apimachinery/pkg/runtime/schema"

// The kinds that are looked up in the cluster by kind, not by object.
var (
	gatewayGVK = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "Gateway"}
	serviceGVK = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	// authorizationGVK is the one kind that is shared among policies.
	authorizationGVK = schema.GroupVersionKind{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"}
)

// kinds has, by kind, every kind that a policy becomes: the keys of
// `manifests` name kinds alone.
var kinds = map[string]schema.GroupVersionKind{
	"Gateway":             gatewayGVK,
	"Service":             serviceGVK,
	"ServiceEntry":        {Group: "networking.istio.io", Version: "v1", Kind: "ServiceEntry"},
	"VirtualService":      {Group: "networking.istio.io", Version: "v1", Kind: "VirtualService"},
	"DestinationRule":     {Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"},
	"AuthorizationPolicy": authorizationGVK,
}

// inspected has, by kind, the kinds in which a policy may meet something.
var inspected = map[string]schema.GroupVersionKind{
	"Gateway":             gatewayGVK,
	"Service":             serviceGVK,
	"ServiceEntry":        kinds["ServiceEntry"],
	"VirtualService":      kinds["VirtualService"],
	"DestinationRule":     kinds["DestinationRule"],
	"AuthorizationPolicy": authorizationGVK,
	"Sidecar":             {Group: "networking.istio.io", Version: "v1", Kind: "Sidecar"},
}
