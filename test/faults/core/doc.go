// Package core is as much of Terraform's core as decides what becomes of a
// resource instance: refresh, plan, apply, taint, replace, destroy and import,
// over the plugin protocol, with the provider in this process. A run takes
// milliseconds, so that thousands of them can meet a fault each.
//
// What core promises a provider, it keeps: plan and apply are separate
// provider processes, a plan is made again during apply, an answer that
// contradicts the plan is an error, a failed create that answers a state is
// tainted, a failed update keeps what was answered, and a tainted instance is
// destroyed with the private state of its successor's plan
// (hashicorp/terraform internal/terraform, node_resource_abstract_instance.go).
package core
