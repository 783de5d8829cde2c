package provider

import (
	"fmt"
	"os"
	"testing"
)

// pluginToken is the variable by which TestExec makes this test binary act as
// a credential plugin that prints its value as the token.
const pluginToken = "PROVIDER_TEST_PLUGIN_TOKEN"

func TestMain(m *testing.M) {
	if token := os.Getenv(pluginToken); token != "" {
		fmt.Printf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, token+os.Args[1])
		os.Exit(0)
	}
	os.Exit(m.Run())
}
