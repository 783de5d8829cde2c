// Package mesh is the data source istio_mesh: what the control plane is, and
// what sidecars do with traffic to hosts that nobody declared, level by level.
//
// internal/settings reads the control plane; the precedence of
// the levels is that of internal/compile/outbound.
package mesh
