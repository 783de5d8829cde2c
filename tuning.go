package main

import (
	"os"
	"runtime/debug"
)

// The heap of a provider is small and short-lived, and the process ends with
// the command: collecting garbage at Go's default took a third of the processor
// time of a plan. The limit brings the default's thrift back where a state is large.
const (
	gcPercent   = 300
	memoryLimit = 96 << 20
)

// tune settles what costs processor time and helps nobody. Whatever the user
// has set in the environment stays.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	// terraform-plugin-go and terraform-plugin-framework render each step of
	// theirs as a line of JSON, for the CLI to throw away unless logs were asked
	// for: a sixth of the processor time of a plan. Both read TF_LOG_SDK
	// (internal/logging in either).
	for _, name := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_ISTIO", "TF_LOG_SDK", "TF_ACC_LOG_PATH"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	// Setenv fails for names that are no names only.
	_ = os.Setenv("TF_LOG_SDK", "ERROR")
}
