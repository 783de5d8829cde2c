// Package egressgraph draws grants: workloads, egress gateways and hosts, as
// the text of Mermaid or of Graphviz.
//
// A picture of who reaches whom is easily one that says too much: two workloads
// that lead into one gateway, from which two hosts are reached, look as if each
// might reach both. So a gateway is a box of lanes, one for each service that is
// reached through it by the same set of grants, and every path in the picture,
// from a workload through a lane to a host, is a grant. graph.go makes the
// picture, mermaid.go and dot.go write it; the property test of this package
// walks the paths.
package egressgraph
