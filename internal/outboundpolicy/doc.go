// Package outboundpolicy is the resource istio_outbound_traffic_policy.
//
// The three scopes are three targets (target*.go) behind one interface: the
// mesh config of a control plane, the Sidecar of a namespace, and a Sidecar
// for selected workloads. internal/compile/outbound and
// internal/compile/meshconfig say what to write, internal/cluster writes it.
// What stands here is the schema, what a plan can know and warn of, and what
// goes into state.
package outboundpolicy
