// Package grants is the data source istio_egress_grants: who may reach what in
// the whole mesh, by the policies that live in the cluster, whoever applied
// them.
//
// The intent of a policy stands in the cluster, in an annotation of its record:
// its Service, or the first ServiceEntry of a direct one. audit.go reads these
// and compares what each compiles to with what lives; record.go takes one
// record, strays.go what no record explains. filter.go narrows the answer,
// schema.go and model.go are its face.
//
// A record says what was granted, not what holds: somebody may have edited the
// objects, or written a record of his own. So nothing that does not fit is left
// out, it is told under `problems`, and a grant is `intact` only if every
// object of its policy is there as the policy wants it.
package grants
