// Package ports decides which container port of the egress gateway serves
// which entry of a policy.
//
// It is pure. It proposes; the cluster disposes: creating the Gateway object
// that is named after a port is what reserves it, so who loses a race takes
// the next candidate.
package ports
