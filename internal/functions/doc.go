// Package functions holds the provider-defined functions. They run without a
// cluster and without the provider block: Terraform calls them on a provider
// that is not configured.
//
// Each is a thin face of a pure package: asm.go and smm.go of convert,
// manifests.go of compile/policy. attributes.go takes the types of results
// from the schemas of the resources; argument.go reads an object that is to
// have the attributes of a resource, by the same schema.
package functions
