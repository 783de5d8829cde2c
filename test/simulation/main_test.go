package simulation

import (
	"os"
	"testing"

	"istio.io/istio/pkg/log"
)

// TestMain silences istiod: what it has to say about a case stands in what it
// generates.
func TestMain(m *testing.M) {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	os.Exit(m.Run())
}
