// Package values turns plain Go values into those of
// terraform-plugin-framework and back, and puts them into plans and states.
package values
