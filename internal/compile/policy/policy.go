package policy

import "github.com/meshegress/terraform-provider-istio/internal/compile"

// Policy is the intent of one istio_egress_traffic_policy. A nil pointer,
// slice or map is an attribute that the configuration leaves out; attributes
// with a default always have a value.
type Policy struct {
	Name string `tfsdk:"name" json:"name"`
	// ByEgressGateway is nil for a direct policy.
	ByEgressGateway     *compile.Reference `tfsdk:"by_egress_gateway" json:"by_egress_gateway,omitempty"`
	Revision            *string            `tfsdk:"revision" json:"revision,omitempty"`
	UnselectedWorkloads string             `tfsdk:"unselected_workloads" json:"unselected_workloads"` // deny (default) or direct
	EgressRules         []Rule             `tfsdk:"egress_rules" json:"egress_rules"`
}

// Rule grants every source of From every entry of To.
type Rule struct {
	Name *string `tfsdk:"name" json:"name,omitempty"`
	From []From  `tfsdk:"from" json:"from"`
	To   []To    `tfsdk:"to" json:"to"`
}

// From is a set of source workloads.
type From struct {
	Namespace string `tfsdk:"namespace" json:"namespace"`
	// WorkloadSelector selects all workloads if it is empty. Only beside
	// ServiceAccounts it may be nil, which is a name that was left out, or
	// misspelled; both compile alike.
	WorkloadSelector map[string]string `tfsdk:"workload_selector" json:"workload_selector,omitzero"`
	ServiceAccounts  []string          `tfsdk:"service_accounts" json:"service_accounts,omitzero"`
}

// To is one entry: hosts on one port of one protocol. Its name is unique in the policy.
type To struct {
	Name            string        `tfsdk:"name" json:"name"`
	Hosts           []string      `tfsdk:"hosts" json:"hosts"`
	Addresses       []string      `tfsdk:"addresses" json:"addresses,omitzero"`
	Port            Port          `tfsdk:"port" json:"port"`
	ByEgressGateway *EntryGateway `tfsdk:"by_egress_gateway" json:"by_egress_gateway,omitempty"`
	HTTPSUpgrade    *HTTPSUpgrade `tfsdk:"https_upgrade" json:"https_upgrade,omitempty"`
	TLS             *TLS          `tfsdk:"tls" json:"tls,omitempty"`
	Timeout         *string       `tfsdk:"timeout" json:"timeout,omitempty"`
	Retries         *Retries      `tfsdk:"retries" json:"retries,omitempty"`
	// ResolveTo is the host that the gateway connects to in place of Hosts.
	ResolveTo *string `tfsdk:"resolve_to" json:"resolve_to,omitempty"`
}

// Port is the port of the external service, as the workload dials it.
type Port struct {
	// Name is that of the port in the source-side ServiceEntry, where it stands
	// as `<name>-<number>`.
	Name     string `tfsdk:"name" json:"name"`
	Number   int64  `tfsdk:"number" json:"number"`
	Protocol string `tfsdk:"protocol" json:"protocol"` // HTTP, HTTPS, TCP, HTTP2, GRPC, TLS
}

// EntryGateway is the port that the sidecar dials on the policy's Service.
type EntryGateway struct {
	Port int64 `tfsdk:"port" json:"port"`
}

// HTTPSUpgrade makes the gateway speak TLS to the external service.
type HTTPSUpgrade struct {
	Enabled bool  `tfsdk:"enabled" json:"enabled"`
	Port    int64 `tfsdk:"port" json:"port"`
}

// TLS refines the upgrade.
type TLS struct {
	Mode               string   `tfsdk:"mode" json:"mode"` // SIMPLE or MUTUAL
	CredentialName     *string  `tfsdk:"credential_name" json:"credential_name,omitempty"`
	SNI                *string  `tfsdk:"sni" json:"sni,omitempty"`
	SubjectAltNames    []string `tfsdk:"subject_alt_names" json:"subject_alt_names,omitzero"`
	InsecureSkipVerify *bool    `tfsdk:"insecure_skip_verify" json:"insecure_skip_verify,omitempty"`
}

// Retries are the gateway's retries of HTTP requests. Without them Istio's
// default holds: two retries of what failed before the request was answered.
type Retries struct {
	Attempts      int64   `tfsdk:"attempts" json:"attempts"`
	PerTryTimeout *string `tfsdk:"per_try_timeout" json:"per_try_timeout,omitempty"`
	RetryOn       *string `tfsdk:"retry_on" json:"retry_on,omitempty"`
}
