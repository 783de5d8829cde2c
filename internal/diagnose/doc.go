// Package diagnose turns what the compiler and the engine find into Terraform
// diagnostics.
package diagnose
