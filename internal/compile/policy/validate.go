package policy

import "github.com/meshegress/terraform-provider-istio/internal/compile"

// Validate returns what is wrong with a policy as far as it can be said
// without the cluster.
func Validate(p Policy, mesh compile.Mesh) []compile.Problem {
	return nil
}
