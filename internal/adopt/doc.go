// Package adopt reads hand-written egress and returns the policies that grant
// the same, with a list of what it could not express. cmd/adopt is its face.
//
// It follows calls instead of matching patterns: for each source namespace,
// and each port of each host that a ServiceEntry declares, it walks what the
// sidecars do (way.go) and, where they lead to a gateway, what that does
// (through.go). Each end of such a walk is a flow: some workloads, a host, a
// way. Flows that one object has chosen become one policy (policies.go), so
// that a set of objects moves at a time.
//
//	sources.go   which namespaces are looked at
//	flows.go     what they call
//	way.go       how sidecars lead a call; how a host is found
//	through.go   the gateway: mutual TLS, server, route
//	admission.go whom it lets through
//	upstream.go  from the gateway to the host
//	policies.go  flows to policies, and gateways for them
//	report.go    what is left out, changed, fails, stays
//	object.go    parts of objects; the other files read one kind each
//
// # Nothing is dropped
//
// Every object is read field by field (package fields). A field that is not
// known, or that lets through less than all calls to a host and port, blocks
// the part it stands in, and each way through that part is left out and
// reported: a policy is never wider than what it takes the place of. Settings
// that decide nothing about who reaches what, such as a connection pool, are
// reported where a way goes through them. Parts of these objects that no way
// goes through are reported too. Not reported are, by these rules:
//
//   - status, and what the API server and tools keep in metadata; labels and
//     annotations that are not Istio's.
//   - Port numbers and names of the gateway, and its Service's: those of a
//     policy are assigned.
//   - Names of servers, subsets and routes; the weight of a single
//     destination; loadBalancer.simple, which says whose turn it is.
//   - ISTIO_MUTUAL between sidecar and gateway, in whatever words: a gateway
//     of the provider always has it. One that had none gets it. So are the names
//     that sidecars look for in the gateway's certificate: a policy has its own.
//   - exportTo to the gateway's own namespace, for the sake of the gateway.
//     It is reported, and taken for no source.
//   - A Sidecar as a whole: it stays and goes on hiding what it hides. Only its
//     outbound mode is taken over.
//   - Of a gateway's pods what injection and Kubernetes fill in.
//
// # Sources
//
// A policy names its sources, a ServiceEntry mostly does not. Sources are the
// namespaces that exportTo, sourceNamespace or the gateway's
// AuthorizationPolicies name, and for what is open to all those that the user
// gives. What is narrower for that is reported for each host.
//
// Where labels select some workloads for the way through a gateway, the others
// follow the ServiceEntry, past it (pilot/pkg/networking/core/route/route.go).
// The policy keeps that by unselected_workloads = "direct", and says so.
//
// Not read at all are routes of the Kubernetes Gateway API, EnvoyFilters, and
// policies on pods that are no gateway.
//
// It is pure: no clients, no Terraform types.
package adopt
