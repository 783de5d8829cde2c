// Package compile holds what both compilers share: the facts of the mesh, the
// reference from a policy to its gateway, the labels and annotations that
// every object carries, and the form of a validation problem.
//
// Its subpackages turn an intent into objects:
//
//	workload: istio_egress_gateway -> ServiceAccount, Deployment, Service, ...
//	policy:   istio_egress_traffic_policy -> Gateway, ServiceEntry, VirtualService, ...
//
// All of it is pure: no client, no context, no clock, no Terraform types. The
// intents are plain structs whose `tfsdk` and `json` tags carry the names of
// the HCL attributes, so that one declaration is the Terraform model, the
// annotation that import reads back, and the compiler's input.
package compile
