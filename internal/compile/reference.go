package compile

// Authorization is how a gateway treats callers that no policy admits.
type Authorization string

const (
	// AuthorizationAllowListed refuses everything that no policy admits.
	AuthorizationAllowListed Authorization = "allow_listed"
	// AuthorizationNone leaves the gateway as Istio makes it.
	AuthorizationNone Authorization = "none"
)

// GatewayLabel is the label that selects the pods of a gateway, and the one
// by which every tutorial's Gateway objects select them.
const GatewayLabel = "istio"

// Reference is what a policy's `by_egress_gateway` takes and what the
// attribute `reference` of a gateway (resource or data source) gives. Pointers are nil
// where the configuration says nothing.
type Reference struct {
	Name          string            `tfsdk:"name" json:"name"`
	Namespace     string            `tfsdk:"namespace" json:"namespace"`
	Selector      map[string]string `tfsdk:"selector" json:"selector,omitzero"`
	MutualTLS     *bool             `tfsdk:"mutual_tls" json:"mutual_tls,omitempty"`
	Authorization *string           `tfsdk:"authorization" json:"authorization,omitempty"`
	Revision      *string           `tfsdk:"revision" json:"revision,omitempty"`
	// ServiceAccount is that of the gateway's pods, which sidecars hold the gateway to.
	ServiceAccount *string `tfsdk:"service_account" json:"service_account,omitempty"`
}

// PodSelector returns the labels that select the gateway's pods.
func (r Reference) PodSelector() map[string]string {
	if len(r.Selector) > 0 {
		return r.Selector
	}
	return map[string]string{GatewayLabel: r.Name}
}

// UsesMutualTLS reports whether sidecars speak mutual TLS to the gateway.
func (r Reference) UsesMutualTLS() bool { return r.MutualTLS == nil || *r.MutualTLS }

// ChecksNamespace reports whether the gateway has the baseline
// AuthorizationPolicy, next to which policies may admit their namespaces.
func (r Reference) ChecksNamespace() bool {
	return r.UsesMutualTLS() &&
		(r.Authorization == nil || Authorization(*r.Authorization) == AuthorizationAllowListed)
}
