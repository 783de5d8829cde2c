// Package convert reads custom resources of other egress products and returns
// the attributes of our resources that say the same:
//
//	ASMEgressTrafficPolicy of Alibaba Cloud Service Mesh -> istio_egress_traffic_policy
//	IstioMeshGateway of Cisco Service Mesh Manager       -> istio_egress_gateway
//
// Nothing is dropped. What a custom resource says and our resource cannot say
// is a problem that names the field by its path and line, and so is a value
// that our resource would refuse. Ignored on purpose are only `status` and what
// the API server and tools keep in `metadata` for themselves (metadata.go).
//
// It is pure. document.go finds the one custom resource in a text, package
// fields reads it and complains of what nobody asked for, locate.go finds the
// field that a problem of the compiler is about.
package convert
