// Command adopt reads hand-written egress, that is sets of ServiceEntry,
// Gateway, VirtualService, DestinationRule and AuthorizationPolicy, and writes
// the configuration of policies with the same grants:
//
//	go run github.com/meshegress/terraform-provider-istio/cmd/adopt@latest -A --source-namespaces shop,billing > egress.tf
//
// The configuration goes to standard output or, with -o, into files of a
// directory; a report goes to standard error: what could not be expressed and
// why, what acts differently, what stays. It only LISTs, and writes nothing to
// the cluster.
//
// It is a command and no list resource. What `terraform query` lists has to be
// importable under its identity, and a hand-written object cannot be: owned
// means created by the provider, so that it never takes over what another one
// still applies. The grants are not in one object either but spread over four
// or five, in parts that several hosts share. And what somebody who moves in
// needs most is the list of what is lost, for which a query has no place. So
// the policies are made anew beside the old objects, and those are deleted
// when nobody uses them any more (the guide "from hand-written Istio YAML").
//
// Exit codes: 0 everything is expressed, 2 something is left out, 1 nothing
// could be read.
package main
