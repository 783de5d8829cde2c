package testbed

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// modulesDir finds test/controlplane of the checkout: from the working directory
// upwards (go test runs a test in its package's folder, in whichever of our
// modules that is), else from where this file was compiled.
func modulesDir() (string, error) {
	var starts []string
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		starts = append(starts, filepath.Dir(file))
	}
	for _, dir := range starts {
		for {
			candidate := filepath.Join(dir, "test", "controlplane")
			if _, err := os.Stat(filepath.Join(candidate, "kubernetes", "go.mod")); err == nil {
				return candidate, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return "", errors.New("test/controlplane was not found above the working directory: run this inside a checkout of terraform-provider-istio")
}
