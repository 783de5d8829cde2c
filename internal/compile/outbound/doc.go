// Package outbound compiles istio_outbound_traffic_policy: what sidecars do
// with traffic to hosts that nobody declared, at one of three scopes.
//
//	policy.go    the intent, its scope and its ids
//	validate.go  what is wrong with an intent
//	sidecar.go   a Sidecar of our own: what it inherits, and one field on top
//	live.go      live Sidecars in the order of istiod; the one that is there already
//	overlap.go   Sidecars that select the same workloads
//	effective.go which level wins for a scope, by Istio's precedence
//
// The mesh scope has no object of its own: it is one field of the mesh config
// (package meshconfig). A Sidecar hides the one above it altogether, its egress
// hosts included, so one that is made for a single field has to repeat the rest
// of what it hides.
//
// It is pure. What depends on live Sidecars gets them as an argument, so what
// it says is as old as the caller's list.
package outbound
