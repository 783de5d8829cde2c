// Package trafficpolicy is the resource istio_egress_traffic_policy.
//
// The resource is thin: the attributes that the user writes are the intent of
// internal/compile/policy, the compiler says which objects it becomes,
// internal/cluster writes, compares and deletes them. What stands here is the
// schema, what a plan can know, which ports are reserved at apply, and what
// goes into state.
package trafficpolicy
