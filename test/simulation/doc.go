// Package simulation proves the policy compiler in Istio's own configuration
// generator.
//
// A case is a small mesh: a few namespaces, workloads, egress gateways and
// policies, all drawn at random (package generate). Its policies are compiled,
// and the objects given to istiod's generator in process (package judge, on
// istio.io/istio/pilot/test/xds). Calls are then followed through the listeners,
// routes and clusters that the generator makes for the caller's sidecar and
// for the gateway, the verdict on the caller's identity included, to where
// they leave the mesh. An oracle says from the policies alone where each call
// may end (package oracle). It shares no code with the compiler.
//
// TestProve runs as many cases as are asked for:
//
//	go test -run TestProve -timeout 30m -args -cases 10000 -seed 1
//
// A mismatch is made smaller as long as it stays, and printed with the
// policies, the call, the verdict and the way that the call took.
package simulation
