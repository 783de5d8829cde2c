package testbed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeCLI puts an executable that reports a version on an otherwise empty PATH.
func fakeCLI(t *testing.T, name, version string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	script := "#!/bin/sh\necho '{\"terraform_version\": \"" + version + "\"}'\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("TF_ACC_TERRAFORM_PATH", "")
	return path
}

func TestTerraformLookUp(t *testing.T) {
	t.Run("new enough on PATH", func(t *testing.T) {
		want := fakeCLI(t, "terraform", "1.16.0")
		if got, err := Terraform(t.Context()); err != nil || got != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	})
	t.Run("the variable wins", func(t *testing.T) {
		other := fakeCLI(t, "other", "1.0.0")
		fakeCLI(t, "terraform", "1.16.0")
		t.Setenv("TF_ACC_TERRAFORM_PATH", other)
		if got, err := Terraform(t.Context()); err != nil || got != other {
			t.Errorf("got %q (%v), want %q", got, err, other)
		}
	})
	t.Run("old on PATH, no Python", func(t *testing.T) {
		want := fakeCLI(t, "terraform", "1.9.8")
		t.Setenv("XDG_CACHE_HOME", t.TempDir()) // an installed wheel would win
		t.Setenv("HOME", t.TempDir())
		if got, err := Terraform(t.Context()); err != nil || got != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	})
	t.Run("too old on PATH, no Python", func(t *testing.T) {
		fakeCLI(t, "terraform", "1.5.7")
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		t.Setenv("HOME", t.TempDir())
		_, err := Terraform(t.Context())
		if err == nil || !strings.Contains(err.Error(), "TF_ACC_TERRAFORM_PATH") {
			t.Errorf("got %v, want an error that says what to do", err)
		}
	})
}

func TestOpenTofuLookUp(t *testing.T) {
	want := fakeCLI(t, "tofu", "1.13.0")
	if got, err := OpenTofu(t.Context()); err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestPinsOfWheels(t *testing.T) {
	modules, err := modulesDir()
	if err != nil {
		t.Fatal(err)
	}
	pins, err := filepath.Glob(filepath.Join(modules, "terraform", "*.txt"))
	if err != nil || len(pins) < 8 {
		t.Fatal(pins, err)
	}
	for _, pin := range pins {
		content, err := os.ReadFile(pin)
		if err != nil || !strings.Contains(string(content), "--hash=sha256:") {
			t.Errorf("%s: no hash (%v)", pin, err)
		}
	}
}
