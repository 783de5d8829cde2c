// Package mesh is the data source istio_mesh: what the control plane is, and
// what sidecars do with traffic to hosts that nobody declared, level by level.
//
// meshfacts in internal/settings reads the control plane; the precedence of
// the levels is internal/compile/outbound's.
package mesh
