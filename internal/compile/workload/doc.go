// Package workload turns the intent of an istio_egress_gateway into the
// objects of the gateway workload: what Istio's own `gateway` chart renders
// (manifests/charts/gateway), the default-deny AuthorizationPolicy in front of
// it, and its access log.
//
// One file per kind that is produced. Pure: no client, no clock, no Terraform
// types.
package workload
