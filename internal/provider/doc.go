// Package provider is the provider block: its schema, how it becomes the
// connection to a cluster, and the list of what the provider offers.
//
// Configuration is a pure function: Config.Connection takes the values of the
// block and an Environment and returns a rest.Config, or diagnostics that name
// the attribute or environment variable at fault. It reads the kubeconfig files
// that were named and never dials.
//
// Names, environment variables and precedence are those of
// hashicorp/kubernetes (kubernetes/provider.go, initializeConfiguration), so
// that one block serves both providers.
package provider
