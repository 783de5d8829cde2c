package functions

import "github.com/hashicorp/terraform-plugin-framework/function"

// All lists the functions.
func All() []func() function.Function {
	return []func() function.Function{NewASMEgressTrafficPolicy, NewSMMMeshGateway, NewEgressManifests, NewEgressGraph}
}
