// Package policy compiles an istio_egress_traffic_policy into Istio objects.
//
// A request of a selected workload goes
//
//	workload
//	  -> sidecar   ServiceEntry (source side) makes the host known,
//	               VirtualService (mesh) picks the workloads,
//	               DestinationRule (client) speaks mutual TLS with the name of the grant
//	  -> Service   of the policy, whose port leads to the container port
//	  -> gateway   Gateway opens the port and checks service accounts,
//	               AuthorizationPolicy checks the namespace,
//	               VirtualService (gateway) routes by the port
//	  -> upstream  ServiceEntry (upstream) finds the host,
//	               DestinationRule (upstream) upgrades to TLS
//
// and there is a file for each kind that opens with the rules which the kind
// follows and where they come from. layout.go turns the intent into what the
// other files read, slots.go decides which container ports it needs, names.go
// and sni.go name things, validate*.go say what cannot be compiled, grants.go
// who gets access, transition*.go what an update writes first. testdata holds
// an example of every flow, `<case>.in.yaml` with what comes out of it in
// `<case>.out.yaml`; `go test -update` writes the latter anew.
package policy
