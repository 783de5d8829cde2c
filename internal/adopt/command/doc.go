// Package command is cmd/adopt without its process: run.go has the flags,
// read.go where objects come from, hcl.go and report.go what is written. What
// the objects mean is in internal/adopt.
package command
