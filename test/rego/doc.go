// Package rego tests the rules of examples/policy-as-code with Open Policy Agent, on
// plans that Terraform makes with the provider of this checkout. It is a module of
// its own since OPA is no dependency of the provider. Neither a cluster nor a
// control plane is needed.
package rego
