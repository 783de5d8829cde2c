// Package workspace runs a real terraform or tofu executable, in a directory of
// its own, with the provider as it is built from this checkout.
//
// Tests of a single resource run the provider inside the test process (package
// acctest). This package is for what that cannot show: processes, signals,
// several workspaces at once, and the commands that a user types. It depends on
// the standard library alone.
package workspace
