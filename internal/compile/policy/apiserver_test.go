package policy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// The API server, with the schemas and rules of Istio's CRDs, and istiod's
// webhook take every golden, and know every field of it.
func TestAPIServerTakesTheGoldens(t *testing.T) {
	if os.Getenv("TF_ACC") != "1" {
		t.Skip("TF_ACC=1 starts a control plane")
	}
	controlPlane, err := testbed.Start(t.Context(), testbed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := controlPlane.Stop(); err != nil {
			t.Error(err)
		}
	}()
	path, err := testbed.Kubectl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kubectl := func(stdin string, arguments ...string) error {
		command := exec.CommandContext(t.Context(), path, append([]string{"--kubeconfig", controlPlane.Kubeconfig}, arguments...)...)
		command.Stdin = strings.NewReader(stdin)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	cases := goldens(t)
	if err := kubectl(namespaces(t, cases), "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	for golden := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(golden), ".out.yaml"), func(t *testing.T) {
			if err := kubectl("", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", golden); err != nil {
				t.Error(err)
			}
		})
	}
}

// namespaces returns the namespaces of all goldens as a YAML stream.
func namespaces(t *testing.T, cases map[string]golden) string {
	t.Helper()
	seen := map[string]bool{}
	var out strings.Builder
	for _, g := range cases {
		for _, object := range mustObjects(t, g.Policy, assign(g.Policy)) {
			if name := object.Body.GetNamespace(); !seen[name] {
				seen[name] = true
				fmt.Fprintf(&out, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: %s}}\n", name)
			}
		}
	}
	return out.String()
}
