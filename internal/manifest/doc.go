// Package manifest is the form in which an object travels from the compiler
// through the engine into state: a key, a body, and how to print it.
//
// It is pure: no client, no clock, no Terraform types.
package manifest
