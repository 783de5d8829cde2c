// Package gateway is the resource and the data source istio_egress_gateway:
// the workload through which traffic leaves the mesh.
//
// What an attribute means is in package workload, how objects are written in
// package cluster. Here the two meet Terraform.
package gateway
