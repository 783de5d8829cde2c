package meshconfig

import (
	"testing"
)

func TestRevisionOfAConfigMap(t *testing.T) {
	for revision, want := range map[string]string{"": "", "default": "", "canary": "canary", "1-31-1": "1-31-1"} {
		if got := Revision(ConfigMap("istio-system", revision).String()); got != want {
			t.Errorf("revision %q: got %q, want %q", revision, got, want)
		}
	}
}
