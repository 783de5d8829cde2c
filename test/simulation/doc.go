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
// Operations are looked at too: in every moment of an apply, an update or a
// destroy a call may do no more than before or after it. The order of writes is
// the engine's own (manifest.Creating, Updating, Deleting), what an update
// writes first is the compiler's (policy.Transition).
//
// TestProve runs as many cases as are asked for, or one of them again; seed and
// number are all that a case depends on:
//
//	go test -run TestProve -timeout 60m -args -cases 10000 -seed 1
//	go test -run TestProve -args -seed 1 -case 4711
//
// A policy is drawn until it is valid and meets nothing of the others', as the
// resource itself would say (package conflict): what is refused is counted by
// reason. A mismatch is made smaller as long as it stays, printed with the
// policies, the call, the verdict and the way that the call took, and kept in
// testdata/regressions, which TestRegressions runs from then on.
package simulation
