package testbed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCRDsOfAFile(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "crds.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: gateways.networking.istio.io}\n"
	got, err := loadCRDs(t.Context(), write("# generated\n---\n"+crd+"---\n"+crd))
	if err != nil || len(got) != 2 || got[0].GetName() != "gateways.networking.istio.io" {
		t.Errorf("got %d objects (%v), want 2", len(got), err)
	}
	for name, text := range map[string]string{
		"no CustomResourceDefinitions": "kind: ConfigMap\napiVersion: v1\n",
		"converting YAML":              "kind: {",
	} {
		if _, err := loadCRDs(t.Context(), write(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error about %q", err, name)
		}
	}
}
