package simulation

import (
	"os"
	"runtime/debug"
	"testing"

	"istio.io/istio/pkg/log"
)

// TestMain silences istiod: what it has to say about a case stands in what it
// generates.
func TestMain(m *testing.M) {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	// Meshes are made and thrown away by the hundred: collect seldom, but do
	// not fill the machine.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(1500 << 20)
	os.Exit(m.Run())
}
